package io.github.logaggregator.benchmarks;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the benchmark ran on.
 *
 * @param cpu its model
 * @param cores as the JVM counts them
 * @param memoryGib of the machine, in GiB
 * @param system operating system, and its version
 * @param java version of the JVM
 * @param stores versions of the stores
 */
record Machine(
        @JsonProperty("cpu") String cpu,
        @JsonProperty("cores") int cores,
        @JsonProperty("memory_gib") long memoryGib,
        @JsonProperty("system") String system,
        @JsonProperty("java") String java,
        @JsonProperty("stores") String stores) {
    static Machine of(String stores) {
        return new Machine(
                line("/proc/cpuinfo", "model name"),
                Runtime.getRuntime().availableProcessors(),
                Math.round(Long.parseLong(line("/proc/meminfo", "MemTotal").replaceAll("[^0-9]", "")) / 1048576.0),
                System.getProperty("os.name") + " " + System.getProperty("os.version"),
                Runtime.version().toString(),
                stores);
    }

    /** What stands behind a name, where Linux tells; else "0". */
    private static String line(String file, String name) {
        try {
            return Files.readAllLines(Path.of(file)).stream()
                    .filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("0");
        } catch (IOException e) {
            return "0";
        }
    }

    @Override
    public String toString() {
        return "%s, %d cores, %d GiB, %s, Java %s, %s".formatted(cpu, cores, memoryGib, system, java, stores);
    }
}
