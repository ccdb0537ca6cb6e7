package io.github.logaggregator.model;

import java.util.List;

/**
 * The body of {@code POST /publish}: one event object, an array of them, or {@code {"events": [...]}}.
 *
 * @param events the events in the order sent; at least one
 * @param single whether the body was one event object, whose id the answer then names
 */
public record PublishRequest(List<SentEvent> events, boolean single) {}
