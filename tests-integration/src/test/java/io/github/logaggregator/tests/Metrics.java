package io.github.logaggregator.tests;

import io.github.logaggregator.localstack.ServiceProcess;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What services tell at {@code /actuator/prometheus}, each figure added up over them.
 *
 * @param values of each series, such as {@code aggregator_events_settled_total{outcome="stored"}}
 */
record Metrics(Map<String, Double> values) {
    private static final Pattern TYPE = Pattern.compile("(?m)^# TYPE (\\S+) \\S+$");

    static Metrics of(AggregatorSystem system, Collection<ServiceProcess> services) {
        Map<String, Double> values = new TreeMap<>();
        for (ServiceProcess service : services) {
            system.metrics(service)
                    .lines()
                    .filter(line -> !line.startsWith("#"))
                    .forEach(line -> {
                        int end = line.lastIndexOf(' ');
                        values.merge(line.substring(0, end), Double.parseDouble(line.substring(end + 1)), Double::sum);
                    });
        }
        return new Metrics(values);
    }

    /** The names of a service's metrics, without the suffixes that the series of a histogram have. */
    static Set<String> names(AggregatorSystem system, ServiceProcess service) {
        return TYPE.matcher(system.metrics(service))
                .results()
                .map((MatchResult type) -> type.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    double value(String series) {
        Double value = values.get(series);
        if (value == null) {
            throw new AssertionError("There is no " + series + " among " + values.keySet());
        }
        return value;
    }

    /** The series whose names begin so. */
    Map<String, Double> of(String prefix) {
        return values.entrySet().stream()
                .filter(series -> series.getKey().startsWith(prefix))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** The sum over all series of a metric, whatever their tags. */
    double sum(String name) {
        return of(name).entrySet().stream()
                .filter(series ->
                        series.getKey().equals(name) || series.getKey().startsWith(name + "{"))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }
}
