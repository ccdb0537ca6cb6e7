package io.github.logaggregator.benchmarks;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoublePredicate;

/** What the rounds have measured of one case. */
final class Samples {
    private final String name;
    private final String unit;
    private final List<Double> values = new ArrayList<>();
    private final List<Double> against = new ArrayList<>();
    private final Map<String, List<Double>> details = new LinkedHashMap<>();

    Samples(String name, String unit) {
        this.name = name;
        this.unit = unit;
    }

    String name() {
        return name;
    }

    void add(double value) {
        values.add(value);
    }

    /** A value, and what was measured in the same round to compare it with. */
    void add(double value, double reference) {
        values.add(value);
        against.add(reference);
    }

    void detail(String what, double value) {
        details.computeIfAbsent(what, key -> new ArrayList<>()).add(value);
    }

    /** Microseconds of processor time for each event, by process. */
    void cpu(String prefix, Map<String, Double> micros) {
        micros.forEach((process, used) -> detail(prefix + "CPU µs " + process, used));
    }

    /** What was measured last, in one line. */
    String last() {
        double value = values.getLast();
        return against.isEmpty()
                ? "%s: %,.2f %s".formatted(name, value, unit)
                : "%s: %,.2f against %,.2f %s: %.2f"
                        .formatted(name, value, against.getLast(), unit, value / against.getLast());
    }

    double medianOf(String detail) {
        return median(details.getOrDefault(detail, List.of()));
    }

    double median() {
        return median(values);
    }

    /** The case, whose goal is one of the ratio. */
    Case comparedTo(String goal, DoublePredicate reached, boolean scaledDown) {
        List<Double> ratios = new ArrayList<>();
        for (int i = 0; i < values.size(); i++) {
            ratios.add(values.get(i) / against.get(i));
        }
        double ratio = median(ratios);
        return new Case(
                name,
                median(values),
                unit,
                median(against),
                ratio,
                goal,
                reached.test(ratio),
                spread(ratios),
                medians(),
                scaledDown);
    }

    /** The case, whose goal is one of its values. */
    Case alone(String goal, boolean reached, boolean scaledDown) {
        return new Case(name, median(values), unit, null, null, goal, reached, spread(values), medians(), scaledDown);
    }

    private Map<String, Double> medians() {
        Map<String, Double> medians = new LinkedHashMap<>();
        details.forEach((what, measured) -> medians.put(what, median(measured)));
        return medians;
    }

    private static double spread(Collection<Double> values) {
        return (values.stream().max(Double::compare).orElseThrow()
                        - values.stream().min(Double::compare).orElseThrow())
                / median(values);
    }

    private static double median(Collection<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
