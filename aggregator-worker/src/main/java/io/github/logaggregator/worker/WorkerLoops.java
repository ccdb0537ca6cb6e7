package io.github.logaggregator.worker;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/** Runs the worker's loops from the start to the end of the process. */
@Component
class WorkerLoops implements SmartLifecycle {
    private final WorkerProperties properties;
    private final List<WorkerLoop> loops;
    private List<Thread> threads = List.of();

    WorkerLoops(
            EventQueueReader queue,
            EventStoreWriter store,
            WorkerMetrics metrics,
            SettlementTracing tracing,
            WorkerProperties properties) {
        this.properties = properties;
        Turn turn = new Turn();
        this.loops = IntStream.range(0, properties.loops())
                .mapToObj(i -> new WorkerLoop(queue, store, metrics, tracing, turn))
                .toList();
    }

    @Override
    public void start() {
        threads = IntStream.range(0, loops.size())
                .mapToObj(
                        i -> Thread.ofPlatform().name("worker-loop-" + (i + 1)).start(loops.get(i)))
                .toList();
    }

    /** Waits for the claims in hand, at most {@code worker.stop-timeout}; those that are not settled then are handed back. */
    @Override
    public void stop() {
        loops.forEach(WorkerLoop::stop);
        Instant deadline = Instant.now().plus(properties.stopTimeout());
        for (int i = 0; i < threads.size(); i++) {
            try {
                if (!threads.get(i).join(Duration.between(Instant.now(), deadline))) {
                    loops.get(i).handBack();
                    threads.get(i).interrupt();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        threads = List.of();
    }

    @Override
    public boolean isRunning() {
        return !threads.isEmpty();
    }

    /** How often leases are to be renewed. */
    Duration renewInterval() {
        return properties.lease().dividedBy(3);
    }

    /** Renews the leases of the claims in hand. */
    void renewLeases() {
        loops.forEach(WorkerLoop::renewLease);
    }
}
