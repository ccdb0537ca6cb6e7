package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.model.TopicPattern;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Reads the topics, each with its counts and the times of its first and last arrival. */
@Component
class EventStoreTopics {
    private static final String TOPICS = ResourceText.of("sql/topics.sql");

    private final JdbcTemplate jdbc;
    private final StoreAccess postgresAccess;

    EventStoreTopics(JdbcTemplate jdbc, StoreAccess postgresAccess) {
        this.jdbc = jdbc;
        this.postgresAccess = postgresAccess;
    }

    /**
     * What was settled of a topic.
     *
     * @param stored its events, those that expired included
     * @param expired those of the stored that were older than their topic's retention, and deleted
     * @param duplicates events that were there before
     * @param conflicting those of the duplicates whose content was not that of the stored event
     * @param deadLettered events that could not be stored
     * @param firstArrival when the first of its events that are there was stored; null if there is none
     * @param lastArrival when the last of them was stored; null if there is none
     */
    record Topic(
            @JsonProperty("topic") String name,
            @JsonProperty("stored") long stored,
            @JsonProperty("expired") long expired,
            @JsonProperty("duplicates") long duplicates,
            @JsonProperty("conflicting") long conflicting,
            @JsonProperty("dead_lettered") long deadLettered,
            @JsonProperty("first_arrival") @Nullable Instant firstArrival,
            @JsonProperty("last_arrival") @Nullable Instant lastArrival) {}

    /**
     * Some topics, in the database's order of their names.
     *
     * @param next the topic behind which the next page starts; null if this is the last
     */
    record Page(List<Topic> topics, @Nullable String next) {}

    /**
     * Reads a page.
     *
     * @param patterns only topics that one of these fits
     * @param after only topics behind this one
     * @param limit how many at most
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Page read(List<TopicPattern> patterns, String after, int limit) {
        String[] likes = patterns.stream().map(EventStoreTopics::like).toArray(String[]::new);
        int oneMore = limit + 1; // to know whether there is a next page
        List<Topic> topics = postgresAccess.ask(() ->
                jdbc.query(TOPICS, EventStoreTopics::topic, after, likes, oneMore, after, likes, oneMore, oneMore));
        if (topics.size() <= limit) {
            return new Page(topics, null);
        }
        List<Topic> page = topics.subList(0, limit);
        return new Page(page, page.getLast().name());
    }

    private static String like(TopicPattern pattern) {
        return pattern.toString()
                .replace("\\", "\\\\")
                .replace("%", "\\%")
                .replace("_", "\\_")
                .replace('*', '%');
    }

    private static Topic topic(ResultSet row, int number) throws SQLException {
        return new Topic(
                row.getString("topic"),
                row.getLong("stored"),
                row.getLong("expired"),
                row.getLong("duplicates"),
                row.getLong("conflicting"),
                row.getLong("dead_lettered"),
                instant(row, "first_arrival"),
                instant(row, "last_arrival"));
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
