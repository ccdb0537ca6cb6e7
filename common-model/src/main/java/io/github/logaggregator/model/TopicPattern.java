package io.github.logaggregator.model;

import org.jspecify.annotations.Nullable;

/** A pattern of whole topics, in which {@code *} stands for any characters, or none, and all others for themselves. */
public final class TopicPattern {
    private final String text;
    private final String[] literals;
    private final boolean coversAll;

    /** @param text at least one character */
    public TopicPattern(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("a pattern of topics must not be empty");
        }
        this.text = text;
        this.literals = text.split("\\*", -1);
        this.coversAll = text.chars().allMatch(character -> character == '*');
    }

    /** Whether it fits a topic; in time that grows with the lengths alone, however many * there are. */
    public boolean covers(String topic) {
        String first = literals[0];
        String last = literals[literals.length - 1];
        if (literals.length == 1) {
            return topic.equals(first);
        }
        int at = first.length();
        int end = topic.length() - last.length();
        if (at > end || !topic.startsWith(first) || !topic.endsWith(last)) {
            return false;
        }
        for (int i = 1; i < literals.length - 1; i++) {
            int found = topic.indexOf(literals[i], at);
            at = found + literals[i].length();
            if (found < 0 || at > end) {
                return false;
            }
        }
        return true;
    }

    /** Whether it fits every topic there can be. */
    public boolean coversAll() {
        return coversAll;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof TopicPattern pattern && text.equals(pattern.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** The pattern as it is written. */
    @Override
    public String toString() {
        return text;
    }
}
