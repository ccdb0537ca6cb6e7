package io.github.logaggregator.benchmarks;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.VectorGraphicsEncoder.VectorGraphicsFormat;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** The result, as a table for people, JSON for programs, and a chart. */
record Report(
        @JsonProperty("machine") Machine machine,
        @JsonProperty("cases") List<Case> cases) {
    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    /** Prints the table, and writes {@code benchmark.json} and {@code benchmark.svg}. */
    void write(Path folder) {
        System.out.println("\n" + table());
        try {
            Files.writeString(folder.resolve("benchmark.json"), JSON.writeValueAsString(this) + "\n");
            VectorGraphicsEncoder.saveVectorGraphic(
                    chart(), folder.resolve("benchmark").toString(), VectorGraphicsFormat.SVG);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        System.out.println("\nWritten: " + folder + "/benchmark.json, benchmark.svg");
    }

    private String table() {
        String row = "%-52s %12s %-9s %12s %7s %7s  %-30s %s%n";
        StringBuilder table = new StringBuilder(machine + "\n\n")
                .append(row.formatted("case", "value", "unit", "against", "ratio", "spread", "goal", "reached"));
        for (Case measured : cases) {
            table.append(row.formatted(
                    measured.name() + (measured.scaledDown() ? " (scaled down)" : ""),
                    number(measured.value()),
                    measured.unit(),
                    measured.against() == null ? "" : number(measured.against()),
                    measured.ratio() == null ? "" : "%.2f".formatted(measured.ratio()),
                    "%.0f %%".formatted(100 * measured.spread()),
                    measured.goal(),
                    measured.reached() ? "yes" : "no"));
            if (!measured.details().isEmpty()) {
                table.append("    ")
                        .append(measured.details().entrySet().stream()
                                .map(detail -> detail.getKey() + " " + number(detail.getValue()))
                                .collect(Collectors.joining(", ")))
                        .append('\n');
            }
        }
        return table.toString().stripTrailing();
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, value < 100 ? "%,.2f" : "%,.0f", value);
    }

    /** The ratios, since they are what can be compared between machines. */
    private CategoryChart chart() {
        Map<String, Double> ratios = cases.stream()
                .filter(measured -> measured.ratio() != null)
                .collect(Collectors.toMap(
                        Case::name,
                        measured -> Objects.requireNonNull(measured.ratio()),
                        (first, second) -> first,
                        LinkedHashMap::new));
        CategoryChart chart = new CategoryChartBuilder()
                .width(1000)
                .height(600)
                .title("Ratios to what was measured in the same run")
                .build();
        chart.getStyler().setXAxisLabelRotation(30).setLegendVisible(false);
        chart.addSeries("ratio", List.copyOf(ratios.keySet()), List.copyOf(ratios.values()));
        return chart;
    }
}
