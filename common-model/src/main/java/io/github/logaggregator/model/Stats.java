package io.github.logaggregator.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;

/**
 * The answer of {@code GET /stats}. {@link Books} is the canonical group; the others repeat it under the names that
 * tools for such systems read.
 *
 * @param topics stored events of each topic, expired ones included
 * @param workers how many workers gave a sign of life in the last {@value QueueKeys#WORKER_TIMEOUT_SECONDS} seconds
 * @param uptimeSeconds how long the answering API process has run, in seconds
 */
public record Stats(
        @JsonProperty("uptime_stats") UptimeStats uptimeStats,
        @JsonProperty("database_stats") DatabaseStats databaseStats,
        @JsonProperty("received") long received,
        @JsonProperty("unique_processed") long uniqueProcessed,
        @JsonProperty("duplicate_dropped") long duplicateDropped,
        @JsonProperty("topics") Map<String, Long> topics,
        @JsonProperty("workers") long workers,
        @JsonProperty("uptime_sec") long uptimeSeconds,
        @JsonProperty("queue") Queue queue,
        @JsonProperty("books") Books books) {

    /** {@link Books#received} and {@link Books#duplicates} under its other name. */
    public record UptimeStats(
            @JsonProperty("total_received_api") long totalReceivedApi,
            @JsonProperty("duplicates_dropped_consumer") long duplicatesDroppedConsumer) {}

    /** {@link Books#stored} under the name of the seed. */
    public record DatabaseStats(
            @JsonProperty("unique_events_stored") long uniqueEventsStored) {}

    /**
     * What is on its way.
     *
     * @param oldestAgeSeconds how long the oldest queued event has been waiting, in seconds; 0 when none is queued
     * @param rolledBack whether Redis knows of fewer claims than PostgreSQL has settled: it was brought back from an older
     *     state, without what it accepted since, and the books can't show what that was
     */
    public record Queue(
            @JsonProperty("queued") long queued,
            @JsonProperty("in_flight") long inFlight,
            @JsonProperty("oldest_age_seconds") double oldestAgeSeconds,
            @JsonProperty("rolled_back") boolean rolledBack) {}

    /**
     * Every event that was ever accepted, by where it is now:
     * {@code received = stored + duplicates + dead_lettered + queued + in_flight + unaccounted}.
     *
     * @param received accepted by the API since the stores were created, re-sends included
     * @param stored first of their {@code (topic, event_id)}: the rows, and those that have expired
     * @param expired those of the stored events that were deleted at the end of their topic's retention; the rows are
     *     {@code stored - expired}
     * @param duplicates later ones of a {@code (topic, event_id)}: dropped
     * @param conflicting those of the duplicates whose content was not that of the stored event
     * @param deadLettered that PostgreSQL could not hold, kept apart with the reason
     * @param queued on the Redis list, claimed by no worker
     * @param inFlight claimed by a worker, not yet settled
     * @param unaccounted 0 in a healthy system, at every moment; positive when events are missing, negative when some
     *     were counted twice
     */
    public record Books(
            @JsonProperty("received") long received,
            @JsonProperty("stored") long stored,
            @JsonProperty("expired") long expired,
            @JsonProperty("duplicates") long duplicates,
            @JsonProperty("conflicting") long conflicting,
            @JsonProperty("dead_lettered") long deadLettered,
            @JsonProperty("queued") long queued,
            @JsonProperty("in_flight") long inFlight,
            @JsonProperty("unaccounted") long unaccounted) {
        /** Books without retention: all that was stored is there. */
        public Books(
                long received,
                long stored,
                long duplicates,
                long conflicting,
                long deadLettered,
                long queued,
                long inFlight,
                long unaccounted) {
            this(received, stored, 0, duplicates, conflicting, deadLettered, queued, inFlight, unaccounted);
        }

        /** Books without conflicts, either: all duplicates are what they should be. */
        public Books(
                long received,
                long stored,
                long duplicates,
                long deadLettered,
                long queued,
                long inFlight,
                long unaccounted) {
            this(received, stored, duplicates, 0, deadLettered, queued, inFlight, unaccounted);
        }
    }

    /** The whole answer, with the repeated figures taken from the books. */
    public static Stats of(Books books, Queue queue, Map<String, Long> topics, long workers, long uptime) {
        return new Stats(
                new UptimeStats(books.received, books.duplicates),
                new DatabaseStats(books.stored),
                books.received,
                books.stored,
                books.duplicates,
                topics,
                workers,
                uptime,
                queue,
                books);
    }
}
