package io.github.logaggregator.benchmarks;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
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
            Files.writeString(folder.resolve("benchmark.svg"), RatioChart.svg(cases));
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
}
