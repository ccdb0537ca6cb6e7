package io.github.logaggregator.api;

import io.github.logaggregator.api.EventQueueStatistics.Snapshot;
import io.github.logaggregator.api.EventStoreTotals.Totals;
import io.github.logaggregator.model.Stats;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** {@code GET /stats}: the books. */
@RestController
class StatsController {
    private final EventQueueStatistics queue;
    private final EventStoreTotals store;
    private final Clock clock;
    private final Instant startedAt;

    StatsController(EventQueueStatistics queue, EventStoreTotals store, Clock clock) {
        this.queue = queue;
        this.store = store;
        this.clock = clock;
        this.startedAt = clock.instant();
    }

    @GetMapping(path = "/stats", produces = MediaType.APPLICATION_JSON_VALUE)
    Stats stats() {
        long lastSettled = store.lastSettledClaim();
        // In this order: what moves on between the two reads is then known by the numbers of its claims.
        Snapshot snapshot = queue.read();
        Totals totals = store.read(snapshot);
        Stats.Books books = books(snapshot, totals);
        return Stats.of(
                books,
                new Stats.Queue(
                        books.queued(),
                        books.inFlight(),
                        snapshot.oldestAgeSeconds(),
                        // Read before Redis, so that none of a healthy Redis' claims is above its last.
                        lastSettled > snapshot.lastClaim()),
                totals.storedByTopic(),
                snapshot.workers(),
                Duration.between(startedAt, clock.instant()).toSeconds());
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
