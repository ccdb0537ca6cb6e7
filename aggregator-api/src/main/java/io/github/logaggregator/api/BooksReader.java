package io.github.logaggregator.api;

import io.github.logaggregator.api.EventQueueStatistics.Snapshot;
import io.github.logaggregator.api.EventStoreTotals.Totals;
import io.github.logaggregator.model.Stats;
import org.springframework.stereotype.Component;

/** Reads both stores, one after the other, so that the books balance to the event, also under load. */
@Component
class BooksReader {
    private final EventQueueStatistics queue;
    private final EventStoreTotals store;

    BooksReader(EventQueueStatistics queue, EventStoreTotals store) {
        this.queue = queue;
        this.store = store;
    }

    /** The books, and what the two stores told of which they were made. */
    record Reading(Snapshot snapshot, Totals totals, Stats.Books books, Stats.Queue queue) {}

    /** @throws Refusal if one of the stores did not answer (503) */
    Reading read() {
        long lastSettled = store.lastSettledClaim();
        // In this order: what moves on between the two reads is then known by the numbers of its claims.
        Snapshot snapshot = queue.read();
        Totals totals = store.read(snapshot);
        Stats.Books books = books(snapshot, totals);
        return new Reading(
                snapshot,
                totals,
                books,
                new Stats.Queue(
                        books.queued(),
                        books.inFlight(),
                        snapshot.oldestAgeSeconds(),
                        // Read before Redis, so that none of a healthy Redis' claims is above its last.
                        lastSettled > snapshot.lastClaim()));
    }

    /**
     * Balances the books of two stores that were read one after the other, under load.
     *
     * <p>Redis gives, at one moment: R received, Q queued, K the number of the last claim, and the open claims.
     * PostgreSQL gives, at one later moment: P = stored + duplicates + dead-lettered, X the events of settled claims
     * numbered above K, and F the events of those open claims that are not settled.
     *
     * <p>{@code unaccounted = (R − Q) − (P − X) − F}
     *
     * <p>R − Q is what the claims up to K hold. Each of them is open or acknowledged, and what was acknowledged was
     * committed before, so P has it. P − X is thus what those claims hold, but for the open ones that were not settled: F.
     * So it is 0 whatever time passes between the two reads, unless events are missing (positive) or were counted twice
     * (negative).
     *
     * <p>X was received and queued when Redis was read, or later. Taking it off what is queued, and adding to what was
     * received where that is not enough, makes the figures of every answer add up to the event, and received never goes
     * back: {@code queued = max(0, Q − X)}, {@code received = R + max(0, X − Q)}, {@code in_flight = F}, and so
     * {@code received = P + queued + in_flight + unaccounted}.
     */
    static Stats.Books books(Snapshot queue, Totals store) {
        long settled = store.stored() + store.duplicates() + store.deadLettered();
        long unaccounted = (queue.received() - queue.queued()) - (settled - store.settledSince()) - store.inFlight();
        return new Stats.Books(
                queue.received() + Math.max(0, store.settledSince() - queue.queued()),
                store.stored(),
                store.expired(),
                store.duplicates(),
                store.conflicting(),
                store.deadLettered(),
                Math.max(0, queue.queued() - store.settledSince()),
                store.inFlight(),
                unaccounted);
    }
}
