package io.github.logaggregator.benchmarks;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What processes have used of the processors by now, their children included: on a machine that others use too it tells
 * where the time goes better than a clock does.
 */
record CpuTimes(Map<String, Duration> byName) {
    /** Of the processes with these ids. */
    static CpuTimes of(Map<String, Long> pids) {
        Map<String, Duration> byName = new LinkedHashMap<>();
        pids.forEach((name, pid) -> byName.put(name, ofTree(pid)));
        return new CpuTimes(byName);
    }

    private static Duration ofTree(long pid) {
        return ProcessHandle.of(pid)
                .map(root -> Stream.concat(Stream.of(root), root.descendants())
                        .map(process -> process.info().totalCpuDuration())
                        .flatMap(Optional::stream)
                        .reduce(Duration.ZERO, Duration::plus))
                .orElse(Duration.ZERO);
    }

    /** By process, how many microseconds it has used since for each of so many events. */
    Map<String, Double> microsPerEventSince(CpuTimes earlier, long events) {
        Map<String, Double> micros = new LinkedHashMap<>();
        byName.forEach((name, now) -> micros.put(
                name,
                now.minus(earlier.byName.getOrDefault(name, Duration.ZERO)).toNanos() / 1e3 / (double) events));
        return micros;
    }
}
