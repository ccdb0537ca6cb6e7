package io.github.logaggregator.model;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The answer of {@code POST /publish}: the events lie on the queue, on disk, or are settled.
 *
 * @param status {@code queued}; {@code settled} if it was waited for the outcome of each event, and all are known
 * @param eventId the id of a single event; absent for a batch
 * @param accepted how many events were taken: all of the request's
 * @param outcomes what has become of each event, in the order sent; absent if that was not waited for
 */
public record PublishResponse(
        @JsonProperty("status") String status,

        @JsonProperty("event_id") @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
        String eventId,

        @JsonProperty("accepted") int accepted,

        @JsonProperty("outcomes") @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
        List<Outcome> outcomes) {

    /** What a request that was queued is answered with. */
    public static PublishResponse queued(PublishRequest request) {
        return new PublishResponse(
                "queued",
                request.single() ? request.events().getFirst().event().eventId() : null,
                request.events().size(),
                null);
    }

    /** The answer to the same request with what is known of its events. */
    public PublishResponse withOutcomes(List<Outcome> known) {
        return new PublishResponse(
                known.contains(Outcome.QUEUED) ? "queued" : "settled", eventId, accepted, List.copyOf(known));
    }
}
