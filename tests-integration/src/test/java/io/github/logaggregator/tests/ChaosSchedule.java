package io.github.logaggregator.tests;

import static java.util.Objects.requireNonNull;

import io.github.logaggregator.localstack.ManagedProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Lets the faults befall the processes, wave by wave. */
final class ChaosSchedule {
    private final List<ScheduledFault> faults;
    private volatile Mark mark = new Mark(0, System.nanoTime());

    /** How many faults have begun, and when the last of them did. */
    private record Mark(int begun, long nanos) {}

    ChaosSchedule(List<ScheduledFault> faults) {
        this.faults = faults;
    }

    /**
     * Runs all faults; returns when all are over and every process is ready again.
     *
     * @param listener told of each fault just before it begins
     */
    void run(Map<String, ManagedProcess> processes, Consumer<ScheduledFault> listener) {
        List<CompletableFuture<Void>> outages = new ArrayList<>();
        int wave = 0;
        try (ExecutorService executor = Executors.newCachedThreadPool()) {
            for (ScheduledFault next : faults) {
                if (next.wave() != wave) {
                    awaitAll(outages);
                    wave = next.wave();
                }
                CompletableFuture.runAsync(() -> {}, after(next.pause(), executor))
                        .join();
                mark = new Mark(mark.begun() + 1, System.nanoTime());
                listener.accept(next);
                ManagedProcess process = requireNonNull(processes.get(next.target()));
                outages.add(CompletableFuture.runAsync(() -> next.fault().begin(process), executor)
                        .thenRunAsync(() -> next.fault().end(process), after(next.outage(), executor))
                        .thenRun(process::awaitReady));
            }
            awaitAll(outages);
        }
    }

    private static void awaitAll(List<CompletableFuture<Void>> outages) {
        CompletableFuture.allOf(outages.toArray(CompletableFuture<?>[]::new)).join();
    }

    private static Executor after(Duration delay, Executor executor) {
        return CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS, executor);
    }

    /** How much of the schedule is over, from 0 to 1: it never stands still before the last fault, and is 1 only from then on. */
    double progress() {
        Mark now = mark;
        if (now.begun() == faults.size()) {
            return 1;
        }
        double elapsed = System.nanoTime() - now.nanos();
        double pause = faults.get(now.begun()).pause().toNanos();
        return (now.begun() + elapsed / (elapsed + pause)) / (faults.size() + 1);
    }
}
