package io.github.logaggregator.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** What has become of an event. Its name is the same in JSON, in SQL and in the replies of the workers. */
public enum Outcome {
    /** Not settled yet, as far as is known. */
    QUEUED,

    /** The first of its {@code (topic, event_id)}: a row. */
    STORED,

    /** A later one of its {@code (topic, event_id)}: dropped. */
    DUPLICATE,

    /** PostgreSQL could not hold it; it is kept apart with the reason. */
    DEAD_LETTERED;

    /**
     * Reads what {@link #toString} gives.
     *
     * @throws IllegalArgumentException if it is none
     */
    @JsonCreator
    public static Outcome of(String text) {
        return valueOf(text.toUpperCase(Locale.ROOT));
    }

    @Override
    @JsonValue
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
