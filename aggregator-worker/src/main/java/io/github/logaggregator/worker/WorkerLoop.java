package io.github.logaggregator.worker;

import io.github.logaggregator.worker.EventQueueReader.Waiter;
import io.micrometer.tracing.Span;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Claims, settles, acknowledges, again and again. Whatever fails is tried again; a claim that can't be settled here is
 * handed back for any worker to try, and one in hand is finished before the loop ends.
 *
 * <p>It claims first and waits only when there was nothing: one push to the queue wakes every loop that waits.
 */
final class WorkerLoop implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerLoop.class);

    /** After so many failures in a row a claim is handed back: the fault may be this worker's own. */
    private static final int ATTEMPTS = 5;

    private final EventQueueReader queue;
    private final EventStoreWriter store;
    private final WorkerMetrics metrics;
    private final SettlementTracing tracing;
    private final Turn turn;
    private final PatientRetry redis;
    private final PatientRetry postgres;
    private long nextRescue = System.nanoTime();
    private volatile boolean stopping;

    /** The claim that is this loop's to settle, with its lease as it was last renewed. */
    private @Nullable Claim inHand;

    /** Whether it is settled, and only waits to be acknowledged. */
    private boolean settled;

    /** @param turn the same for all loops of a worker */
    WorkerLoop(
            EventQueueReader queue,
            EventStoreWriter store,
            WorkerMetrics metrics,
            SettlementTracing tracing,
            Turn turn) {
        this.queue = queue;
        this.store = store;
        this.metrics = metrics;
        this.tracing = tracing;
        this.turn = turn;
        this.redis = new PatientRetry(queue.outage(), this::isStopping);
        this.postgres = new PatientRetry(store.outage(), this::isStopping);
    }

    /** Lets the loop end after the claim in hand. */
    void stop() {
        stopping = true;
    }

    private boolean isStopping() {
        return stopping;
    }

    /** Renews the lease of the claim in hand; from another thread, as the loop's own may be waiting for PostgreSQL. */
    synchronized void renewLease() {
        if (inHand != null) {
            Claim renewed = queue.renew(inHand);
            // One that is settled may have been acknowledged this very moment.
            if (renewed == null && !settled) {
                LOG.info("Claim {} is not this worker's any more", inHand.id());
            }
            inHand = renewed;
        }
    }

    /** Gives the claim in hand to whoever takes it first. If Redis can't be told, its lease has to run out. */
    synchronized void handBack() {
        if (inHand != null) {
            Claim claim = inHand;
            inHand = null;
            try {
                queue.handBack(claim);
                LOG.info("Handed claim {} back", claim.id());
            } catch (RuntimeException e) {
                LOG.warn("Claim {} is left to its lease: {}", claim.id(), e.toString());
            }
        }
    }

    private synchronized void hold(@Nullable Claim claim) {
        inHand = claim;
        settled = false;
    }

    private synchronized void noteThatItIsSettled() {
        settled = true;
    }

    private synchronized @Nullable Claim held() {
        return inHand;
    }

    @Override
    public void run() {
        try (Waiter waiter = redis.get(queue::waiter)) {
            while (!stopping) {
                takeTurn(waiter);
            }
        } catch (RuntimeException | InterruptedException e) {
            // What is in hand stays in Redis, in its claim.
            LOG.warn("Stopped while a store was away: {}", e.toString());
        }
    }

    private void takeTurn(Waiter waiter) throws InterruptedException {
        boolean isMine = turn.await();
        try {
            Claim claim = redis.get(() -> next(waiter));
            if (claim == null) {
                return;
            }
            if (isMine && queue.isFull(claim)) {
                isMine = false;
                turn.end();
            } else if (isMine) {
                turn.keep();
            }
            settle(claim);
        } finally {
            if (isMine) {
                turn.end();
            }
        }
    }

    private @Nullable Claim next(Waiter waiter) {
        if (stopping) {
            return null;
        }
        if (System.nanoTime() - nextRescue >= 0) {
            Claim rescued = queue.rescue();
            if (rescued != null) {
                LOG.info("Took claim {} over: its lease ran out", rescued.id());
                metrics.rescued();
                return rescued;
            }
            rescueLater();
        }
        Claim claim = queue.claim();
        if (claim == null) {
            waiter.await();
        }
        return claim;
    }

    /** At random, so that workers that started together do not look together for ever. */
    private void rescueLater() {
        nextRescue = System.nanoTime()
                + (long) (queue.rescueInterval().toNanos()
                        * ThreadLocalRandom.current().nextDouble(1, 1.5));
    }

    private void settle(Claim claim) throws InterruptedException {
        hold(claim);
        Span span = tracing.start(claim);
        try {
            if (claim.lines().isEmpty() || isSettled(claim, span)) {
                noteThatItIsSettled();
                redis.run(() -> queue.acknowledge(claim));
            }
        } finally {
            span.end();
            hold(null);
        }
    }

    /** Settles a claim; false if that is left to whoever takes it over. */
    private boolean isSettled(Claim claim, Span span) throws InterruptedException {
        Settlement settlement;
        try {
            settlement = postgres.get(
                    () -> metrics.timeSettlement(() -> store.settle(Objects.requireNonNullElse(held(), claim))),
                    failed -> failed == ATTEMPTS || held() == null);
        } catch (RuntimeException e) {
            SettlementTracing.failed(span, e);
            handBack();
            if (!stopping) {
                // A worker whose own way to PostgreSQL is broken takes nothing more, and what is behind a claim that
                // fails for a reason of its own comes first.
                postgres.run(store::foldTotals);
                rescueLater();
            }
            return false;
        }
        metrics.settled(settlement);
        SettlementTracing.settled(span, settlement);
        if (!settlement.outcomes().isEmpty()) {
            redis.run(() -> queue.reply(settlement.outcomes()));
        }
        if (!settlement.mayBeAcknowledged()) {
            LOG.warn("Claim {} was settled too late to know whether it counts; it stays in Redis", claim.id());
        }
        return settlement.mayBeAcknowledged();
    }
}
