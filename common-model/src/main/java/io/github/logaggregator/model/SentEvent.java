package io.github.logaggregator.model;

/**
 * An event, and the text that it was read from.
 *
 * @param event what it says
 * @param json as it was sent
 */
public record SentEvent(Event event, String json) {}
