package io.github.logaggregator.api;

import io.github.logaggregator.api.EventFilter.PayloadValue;
import io.github.logaggregator.api.EventFilter.Period;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The statement for a page of events, which costs the same wherever the page starts and whatever it finds: it reads an index
 * from there on, and looks at a bounded number of events. If none of these conditions can be met by the index, the statement ends
 * with the last event that it looked at, which is marked, and need not meet them.
 *
 * @param sql with named parameters
 */
record EventStoreSelection(String sql, Map<String, Object> parameters) {
    /** What can be looked at in a few milliseconds; of several topics, their share each. */
    private static final int MAX_LOOKED_AT = 3_000;

    /**
     * As they are stored: PostgreSQL may have compressed them to a hundredth, and inflates each whose payload is asked for
     * something.
     */
    private static final long MAX_BYTES_LOOKED_AT = 1_000_000;

    /**
     * The innermost part follows an index, from a place to another, both exclusive. The key is what its first column must be, if
     * it has one before the order of arrival. It is compared in one with the order, and sorted by: with key = … PostgreSQL may
     * well go through all events in the order of arrival, which takes for ever when there has been none of this key for long.
     */
    private static final String IN_ORDER = """
            SELECT *, row_number() OVER (ORDER BY %order%) AS place
            FROM (
                SELECT *%columns%
                FROM events
                WHERE (%key%arrival_xid, arrival_number) > (%value%:after_xid::xid8, :after_number)
                    AND (%key%arrival_xid, arrival_number) < (%value%:before_xid::xid8, :before_number)
                    %only%
                ORDER BY %order%
                LIMIT :most_looked_at
            ) AS following
            """;

    /** The same for each of several topics, merged, of which no more need be sorted than the page may look at. */
    private static final String OF_TOPICS = """
            SELECT of_topic.*
            FROM unnest(:topics::text[]) AS wanted (wanted_topic)
            CROSS JOIN LATERAL (%in_order%) AS of_topic
            ORDER BY %order%
            LIMIT :most_merged
            """;

    /**
     * A row that ends the page is the last that was looked at, of its topic or in bytes: what follows it may not be all there is.
     */
    private static final String PAGE = """
            SELECT topic, event_id, ts, source, CASE WHEN matches THEN payload::text END AS payload,
                arrival_xid::text AS xid, arrival_number, ends_page,
                sum(pg_column_size(payload)) OVER () AS page_bytes, max(pg_column_size(payload)) OVER () AS most_bytes
            FROM (
                SELECT *
                FROM (
                    SELECT *, CASE WHEN bytes_before < :most_bytes THEN %conditions% END AS matches,
                        bytes_before < :most_bytes
                            AND (place = :most_looked_at OR bytes_before + pg_column_size(payload) >= :most_bytes) AS ends_page
                    FROM (
                        SELECT *, sum(pg_column_size(payload)) OVER (ORDER BY %order% ROWS UNBOUNDED PRECEDING)
                            - pg_column_size(payload) AS bytes_before
                        FROM (%in_order%) AS in_order
                    ) AS weighed
                ) AS looked_at
                WHERE matches OR ends_page
                ORDER BY %order%
                LIMIT :most_rows
            ) AS page
            ORDER BY %order%
            """;

    /**
     * The statement for a page.
     *
     * @param limit how many events at most; it gives one more row if there are more
     * @param indexed a value of the filter that has an index of its own
     */
    static EventStoreSelection of(EventFilter filter, ArrivalRange range, int limit, @Nullable PayloadValue indexed) {
        Map<String, Object> parameters = new HashMap<>();
        List<String> conditions = conditions(filter, indexed, parameters);
        List<String> topics = filter.topics();
        String direction = range.ascending() ? "" : " DESC";
        String arrival = "arrival_xid" + direction + ", arrival_number" + direction;
        String order = arrival;
        String inOrder;
        int ranges = 1;
        if (indexed != null) {
            order = "indexed_value" + direction + ", " + arrival;
            inOrder = inOrder(EventStoreIndexes.expression(indexed.path()), ":indexed_value", order)
                    .replace("%columns%", ", " + EventStoreIndexes.expression(indexed.path()) + " AS indexed_value")
                    .replace("%only%", "AND " + EventStoreIndexes.predicate(indexed.path()));
            parameters.put("indexed_value", EventStoreIndexes.key(indexed.text()));
        } else if (topics.isEmpty()) {
            inOrder = inOrder("", "", order);
        } else if (topics.size() == 1) {
            order = "topic" + direction + ", " + arrival;
            inOrder = inOrder("topic", ":topic", order);
            parameters.put("topic", topics.getFirst());
        } else {
            inOrder = OF_TOPICS.replace(
                    "%in_order%", inOrder("topic", "wanted_topic", "topic" + direction + ", " + arrival));
            parameters.put("topics", topics.toArray(String[]::new));
            parameters.put("most_merged", conditions.isEmpty() ? limit + 1 : MAX_LOOKED_AT);
            ranges = topics.size();
        }
        parameters.put("after_xid", Long.toUnsignedString(range.after().xid()));
        parameters.put("after_number", range.after().number());
        parameters.put("before_xid", Long.toUnsignedString(range.before().xid()));
        parameters.put("before_number", range.before().number());
        parameters.put("most_rows", limit + 1);
        parameters.put("most_looked_at", conditions.isEmpty() ? limit + 1 : MAX_LOOKED_AT / ranges);
        parameters.put("most_bytes", filter.payload().isEmpty() ? Long.MAX_VALUE : MAX_BYTES_LOOKED_AT);
        String sql = PAGE.replace("%in_order%", inOrder)
                .replace("%order%", order)
                .replace("%columns%", "")
                .replace("%only%", "")
                .replace("%conditions%", conditions.isEmpty() ? "true" : String.join(" AND ", conditions));
        return new EventStoreSelection(sql, parameters);
    }

    private static String inOrder(String key, String value, String order) {
        return IN_ORDER.replace("%key%", key.isEmpty() ? "" : key + ", ")
                .replace("%value%", value.isEmpty() ? "" : value + ", ")
                .replace("%order%", order);
    }

    /** What the index that is followed does not see to. */
    private static List<String> conditions(
            EventFilter filter, @Nullable PayloadValue indexed, Map<String, Object> parameters) {
        List<String> conditions = new ArrayList<>();
        if (indexed != null && !filter.topics().isEmpty()) {
            conditions.add("topic = ANY (:topics::text[])");
            parameters.put("topics", filter.topics().toArray(String[]::new));
        }
        if (filter.source() != null) {
            conditions.add("source = :source");
            parameters.put("source", filter.source());
        }
        add(conditions, "ts", filter.timestamp(), parameters);
        add(conditions, "stored_at", filter.arrival(), parameters);
        for (PayloadValue value : filter.payload()) {
            if (!value.equals(indexed) || !EventStoreIndexes.isWhole(value.text())) {
                String number = Integer.toString(conditions.size());
                conditions.add("payload #>> :path" + number + "::text[] = :text" + number);
                parameters.put("path" + number, value.path().array());
                parameters.put("text" + number, value.text());
            }
        }
        return conditions;
    }

    private static void add(List<String> conditions, String column, Period period, Map<String, Object> parameters) {
        Instant start = period.start();
        if (start != null) {
            conditions.add(column + " >= :" + column + "_start");
            parameters.put(column + "_start", start.atOffset(ZoneOffset.UTC));
        }
        Instant end = period.end();
        if (end != null) {
            conditions.add(column + " < :" + column + "_end");
            parameters.put(column + "_end", end.atOffset(ZoneOffset.UTC));
        }
    }
}
