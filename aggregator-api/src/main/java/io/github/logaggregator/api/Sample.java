package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.api.EventStoreArrivals.Latency;
import io.github.logaggregator.model.Stats;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * The figures of one moment.
 *
 * @param number counts the samples of this process
 * @param problem which store does not answer; null if both do
 * @param books null if a store did not answer
 * @param queue null if Redis did not answer; if PostgreSQL did not, of what is in flight a part may be settled
 * @param usage how full the queue is, from 0 to 1: the larger share of what its bounds allow, by events or by bytes; null if
 *     Redis did not answer
 * @param workers how many live; null if Redis did not answer
 * @param latency null if nothing was stored of late, or a store did not answer
 */
record Sample(
        @JsonProperty("number") long number,
        @JsonProperty("at") Instant at,

        @JsonProperty("problem") @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
        String problem,

        @JsonProperty("books") Stats.@Nullable Books books,
        @JsonProperty("queue") Stats.@Nullable Queue queue,
        @JsonProperty("usage") @Nullable Double usage,
        @JsonProperty("workers") @Nullable Integer workers,
        @JsonProperty("latency") @Nullable Latency latency) {}
