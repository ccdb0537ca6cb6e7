package io.github.logaggregator.worker;

import io.github.logaggregator.worker.EventQueueReader.Waiter;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims, settles, acknowledges, again and again. Whatever fails is tried again until it works; a claim in hand is
 * finished before the loop ends.
 *
 * <p>It claims first and waits only when there was nothing: one push to the queue wakes every loop that waits.
 */
final class WorkerLoop implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerLoop.class);

    private final EventQueueReader queue;
    private final EventStoreWriter store;
    private final WorkerMetrics metrics;
    private final Duration rescueInterval;
    private final PatientRetry claiming = new PatientRetry("Claiming events from Redis", this::isStopping);
    private final PatientRetry settling = new PatientRetry("Settling a claim in PostgreSQL", this::isStopping);
    private final PatientRetry acknowledging = new PatientRetry("Acknowledging a claim to Redis", this::isStopping);
    private long nextRescue = System.nanoTime();
    private volatile boolean stopping;

    WorkerLoop(EventQueueReader queue, EventStoreWriter store, WorkerMetrics metrics, Duration rescueInterval) {
        this.queue = queue;
        this.store = store;
        this.metrics = metrics;
        this.rescueInterval = rescueInterval;
    }

    /** Lets the loop end after the claim in hand. */
    void stop() {
        stopping = true;
    }

    private boolean isStopping() {
        return stopping;
    }

    @Override
    public void run() {
        try (Waiter waiter = claiming.get(queue::waiter)) {
            while (!stopping) {
                Claim claim = claiming.get(() -> next(waiter));
                if (claim != null) {
                    settle(claim);
                }
            }
        } catch (RuntimeException | InterruptedException e) {
            // What is in hand stays in Redis, with a lease.
            LOG.warn("Stopped while a store was away: {}", e.toString());
        }
    }

    private @Nullable Claim next(Waiter waiter) {
        if (stopping) {
            return null;
        }
        Claim claim = rescueIsDue() ? queue.rescue() : null;
        if (claim == null) {
            claim = queue.claim();
        }
        if (claim == null) {
            waiter.await();
        }
        return claim;
    }

    private boolean rescueIsDue() {
        long now = System.nanoTime();
        if (now - nextRescue < 0) {
            return false;
        }
        // At random, so that workers that started together do not look together for ever.
        nextRescue = now
                + (long) (rescueInterval.toNanos() * ThreadLocalRandom.current().nextDouble(1, 1.5));
        return true;
    }

    private void settle(Claim claim) throws InterruptedException {
        if (!claim.entries().isEmpty()) {
            Settlement settlement = settling.get(() -> metrics.timeSettlement(() -> store.settle(claim)));
            metrics.settled(settlement);
            if (!settlement.mayBeAcknowledged()) {
                LOG.warn("Claim {} was settled too late to know whether it counts; it stays in Redis", claim.id());
                return;
            }
        }
        acknowledging.run(() -> queue.acknowledge(claim));
    }
}
