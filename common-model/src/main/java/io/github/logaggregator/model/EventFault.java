package io.github.logaggregator.model;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * One reason why an event is refused.
 *
 * @param index the event's place in its request, from 0; 0 for a single event
 * @param field the field at fault, as it is named in JSON; empty when it is the event itself
 * @param message what the field must be, for a human
 */
public record EventFault(
        @JsonProperty("index") int index,
        @JsonProperty("field") String field,
        @JsonProperty("message") String message) {}
