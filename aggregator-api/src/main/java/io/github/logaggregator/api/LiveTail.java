package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.api.EventStoreArrivals.ArrivalHead;
import io.github.logaggregator.api.EventStoreTotals.Counts;
import io.github.logaggregator.api.Sampler.Sampling;
import java.util.List;
import java.util.Set;

/**
 * Shows the newest events, a few at a time, to somebody who can't read all of them anyway, and tells how many were passed
 * over. What it costs does not depend on how many arrive. For one thread.
 */
final class LiveTail {
    /** Events of one look. */
    private static final int MAX = 20;

    private final EventStoreArrivals store;
    private final Set<String> topics;
    private Place place = Place.FIRST;

    /** How many were stored at the first look, and have been shown or passed over since; -1 before that look. */
    private long told = -1;

    /** @param topics only events of these; empty for all */
    LiveTail(EventStoreArrivals store, Set<String> topics) {
        this.store = store;
        this.topics = topics;
    }

    /**
     * What there is to show.
     *
     * @param events in the order of arrival
     * @param passedOver about how many more arrived since the look before and are not shown
     */
    record Look(
            @JsonProperty("events") List<ArrivalHead> events,
            @JsonProperty("passed_over") long passedOver) {}

    /**
     * Shows what is new.
     *
     * @param sampling of both stores, just taken
     * @throws Refusal if PostgreSQL did not answer (503); to be called again
     */
    Look look(Sampling sampling) {
        List<ArrivalHead> events = store.newest(place, topics, MAX);
        if (!events.isEmpty()) {
            place = events.getLast().place();
        }
        long stored = stored(sampling);
        if (told < 0) {
            told = stored;
            return new Look(events, 0);
        }
        told += events.size();
        if (events.size() < MAX) {
            return new Look(events, 0);
        }
        long passedOver = Math.max(0, stored - told);
        told += passedOver;
        return new Look(events, passedOver);
    }

    private long stored(Sampling sampling) {
        return topics.isEmpty()
                ? sampling.counts().values().stream().mapToLong(Counts::stored).sum()
                : topics.stream()
                        .map(topic -> sampling.counts().getOrDefault(topic, new Counts(0, 0)))
                        .mapToLong(Counts::stored)
                        .sum();
    }
}
