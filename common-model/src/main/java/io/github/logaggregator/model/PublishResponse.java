package io.github.logaggregator.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * The answer of {@code POST /publish}: the events lie on the queue, on disk.
 *
 * @param status always {@code queued}
 * @param eventId the id of a single event; absent for a batch
 * @param accepted how many events were taken: all of the request's
 */
public record PublishResponse(
        @JsonProperty("status") String status,

        @JsonProperty("event_id") @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
        String eventId,

        @JsonProperty("accepted") int accepted) {

    /** What a request that was queued is answered with. */
    public static PublishResponse queued(PublishRequest request) {
        return new PublishResponse(
                "queued",
                request.single() ? request.events().getFirst().event().eventId() : null,
                request.events().size());
    }
}
