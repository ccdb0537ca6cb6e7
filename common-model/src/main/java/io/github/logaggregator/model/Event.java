package io.github.logaggregator.model;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonRawValue;
import java.time.Instant;

/**
 * Something that happened, told by a producer, possibly more than once: {@code (topic, eventId)} says whether two
 * tellings are of the same event.
 *
 * <p>{@link EventParser} makes events from JSON and holds the rules; {@link EventJson} writes them.
 *
 * @param topic the stream the event belongs to; 1 to {@value EventParser#MAX_NAME_LENGTH} Unicode characters, none of
 *     them a control character
 * @param eventId the producer's identity of the event within the topic; same bounds as the topic
 * @param timestamp when it happened, at a resolution of microseconds (PostgreSQL's)
 * @param source who tells it; same bounds as the topic
 * @param payload the text of a JSON object, kept as text so that no digit of a number is lost on the way
 */
public record Event(
        @JsonProperty("topic") String topic,
        @JsonProperty("event_id") String eventId,
        @JsonProperty("timestamp") Instant timestamp,
        @JsonProperty("source") String source,
        @JsonProperty("payload") @JsonRawValue String payload) {}
