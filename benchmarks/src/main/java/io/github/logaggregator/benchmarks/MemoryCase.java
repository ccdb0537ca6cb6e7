package io.github.logaggregator.benchmarks;

import static io.github.logaggregator.benchmarks.Workbench.say;

import io.github.logaggregator.benchmarks.LoadGenerator.Outcome;
import io.github.logaggregator.localstack.ServiceProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** How the memory of API and worker grows at full load, with a heap of 256 MiB each: the last third against the middle one. */
final class MemoryCase {
    private static final int BATCH = 10;

    private final Workbench bench;
    private final Samples growth = new Samples("growth of memory under full load", "ratio");

    MemoryCase(Workbench bench) {
        this.bench = bench;
    }

    Case result() {
        return growth.alone(
                "flat: at most 1.1", growth.median() <= 1.1, bench.options().isMemoryScaledDown());
    }

    void run() {
        ServiceProcess api = bench.system().startApi("-Xmx256m");
        ServiceProcess worker = bench.system().startWorker("-Xmx256m");
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(
                () -> bench.send(
                        api.uri(),
                        BATCH,
                        0,
                        TimeUnit.SECONDS.toMillis(bench.options().memorySeconds())),
                Thread::startVirtualThread);
        List<Long> ofApi = new ArrayList<>();
        List<Long> ofWorker = new ArrayList<>();
        while (!load.isDone()) {
            ofApi.add(residentBytes(api.pid()));
            ofWorker.add(residentBytes(worker.pid()));
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        }
        growth.detail("events/s", BATCH * load.join().requestsPerSecond());
        growth.add(Math.max(growth(ofApi), growth(ofWorker)));
        growth.detail("API MiB", ofApi.getLast() / 1048576.0);
        growth.detail("worker MiB", ofWorker.getLast() / 1048576.0);
        say(growth.last());
        bench.awaitSettled(api.uri());
        worker.stop();
        api.stop();
    }

    private static double growth(List<Long> sizes) {
        int third = sizes.size() / 3;
        return (double) most(sizes.subList(2 * third, sizes.size())) / most(sizes.subList(third, 2 * third));
    }

    private static long most(List<Long> sizes) {
        return sizes.stream().max(Long::compare).orElseThrow();
    }

    static long residentBytes(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                            .filter(line -> line.startsWith("VmRSS:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                            .findFirst()
                            .orElseThrow()
                    * 1024;
        } catch (IOException e) {
            throw new UncheckedIOException("Memory is read where Linux tells it", e);
        }
    }
}
