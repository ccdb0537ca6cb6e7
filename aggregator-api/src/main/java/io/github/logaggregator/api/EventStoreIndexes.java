package io.github.logaggregator.api;

import io.github.logaggregator.api.EventFilter.PayloadValue;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Keeps an index of events for each path of {@code api.payload-indexes}, and no others. While one is built, which stops nobody
 * from storing events, and until then, queries do without it.
 */
@Component
class EventStoreIndexes {
    private static final Logger LOG = LoggerFactory.getLogger(EventStoreIndexes.class);
    private static final String PREFIX = "events_payload_";

    /** An entry of an index has 2,704 bytes at most, and what is longer could not be stored at all. */
    private static final int MAX_CHARACTERS = 200;

    /** Of an advisory lock: whoever has it builds. */
    private static final long LOCK = 6_482_903_117L;

    private final Map<String, PayloadPath> wanted;

    /** Those that queries may use. */
    private volatile Set<PayloadPath> built = Set.of();

    EventStoreIndexes(ApiProperties properties) {
        this.wanted = properties.payloadIndexes().stream()
                .map(PayloadPath::ofKeys)
                .distinct()
                .collect(Collectors.toMap(EventStoreIndexes::name, path -> path));
    }

    /** The first of some values for which there is an index; null if there is none. */
    @Nullable
    PayloadValue find(List<PayloadValue> values) {
        return values.stream()
                .filter(value -> built.contains(value.path()))
                .findFirst()
                .orElse(null);
    }

    /** What is in the index of a path, in SQL. */
    static String expression(PayloadPath path) {
        return "left(payload #>> " + array(path) + ", " + MAX_CHARACTERS + ")";
    }

    /** Which events are in the index of a path, in SQL: the others cost nothing. */
    static String predicate(PayloadPath path) {
        return "payload #>> " + array(path) + " IS NOT NULL";
    }

    private static String array(PayloadPath path) {
        return path.keys().stream()
                .map(key -> "'" + key.replace("'", "''") + "'")
                .collect(Collectors.joining(", ", "ARRAY[", "]"));
    }

    /** What a value is in an index. */
    static String key(String text) {
        return isWhole(text) ? text : text.substring(0, text.offsetByCodePoints(0, MAX_CHARACTERS));
    }

    /** Whether no other value is the same in an index. */
    static boolean isWhole(String text) {
        return text.codePointCount(0, text.length()) < MAX_CHARACTERS;
    }

    /**
     * Drops the indexes that are not wanted any more, and those that were never finished, and builds those that are missing. It
     * takes as long as that takes; of several APIs one does it, while the others wait.
     *
     * @throws SQLException if PostgreSQL could not; to be tried again
     */
    void keep(DataSource owner) throws SQLException, InterruptedException {
        try (Connection connection = owner.getConnection();
                Statement statement = connection.createStatement()) {
            Map<String, Boolean> found = found(statement);
            if (!isAsWanted(found)) {
                // Whoever waited in the database would have a transaction there, for whose end the building waits.
                while (!isMine(statement)) {
                    Thread.sleep(500);
                }
                found = found(statement);
                for (Map.Entry<String, Boolean> index : found.entrySet()) {
                    if (!index.getValue() || !wanted.containsKey(index.getKey())) {
                        statement.execute("DROP INDEX CONCURRENTLY IF EXISTS " + index.getKey());
                        LOG.info("Dropped the index {}", index.getKey());
                    }
                }
                for (Map.Entry<String, PayloadPath> index : wanted.entrySet()) {
                    if (!found.getOrDefault(index.getKey(), false)) {
                        build(statement, index.getKey(), index.getValue());
                    }
                }
            }
            built = Set.copyOf(wanted.values());
        }
    }

    private static void build(Statement statement, String name, PayloadPath path) throws SQLException {
        LOG.info("Building the index {} of {}, which takes a while where there are many events", name, path);
        statement.execute("CREATE INDEX CONCURRENTLY " + name + " ON events (" + expression(path)
                + ", arrival_xid, arrival_number) WHERE " + predicate(path));
        LOG.info("Built the index {}", name);
    }

    private boolean isAsWanted(Map<String, Boolean> found) {
        return found.keySet().equals(wanted.keySet()) && !found.containsValue(false);
    }

    /** The indexes of payloads that there are, by name, and whether each is finished. */
    private static Map<String, Boolean> found(Statement statement) throws SQLException {
        Map<String, Boolean> found = new HashMap<>();
        try (ResultSet rows = statement.executeQuery("""
                SELECT relname, indisvalid
                FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                WHERE indrelid = 'events'::regclass AND starts_with(relname, '%s')
                """.formatted(PREFIX))) {
            while (rows.next()) {
                found.put(rows.getString("relname"), rows.getBoolean("indisvalid"));
            }
        }
        return found;
    }

    private static boolean isMine(Statement statement) throws SQLException {
        try (ResultSet row = statement.executeQuery("SELECT pg_try_advisory_lock(" + LOCK + ")")) {
            return row.next() && row.getBoolean(1);
        }
    }

    private static String name(PayloadPath path) {
        byte[] text = path.toString().getBytes(StandardCharsets.UTF_8);
        return PREFIX + UUID.nameUUIDFromBytes(text).toString().replace("-", "");
    }
}
