package io.github.logaggregator.api;

import io.github.logaggregator.api.ApiKey.Scope;
import io.github.logaggregator.model.TopicPattern;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** The keys, as PostgreSQL has them. None is ever deleted. */
@Component
class EventStoreKeys {
    /** Of one name, so that a key can be replaced while the one before is still in use. */
    static final int MAX_VALID = 2;

    private final JdbcClient jdbc;

    EventStoreKeys(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * Reads all keys, the oldest first.
     *
     * @throws org.springframework.dao.DataAccessException if PostgreSQL did not answer
     */
    List<ApiKey> read() {
        return jdbc.sql("""
                        SELECT id, name, encode(hash, 'hex') AS hash, scopes, topics, created_at, expires_at, revoked_at
                        FROM api_keys
                        ORDER BY id
                        """).query(EventStoreKeys::key).list();
    }

    /**
     * Adds a key.
     *
     * @param hash of its text, see {@link ApiKey#hash}
     * @param expires null for never
     * @return its id; none if there are {@value #MAX_VALID} valid ones of the name
     */
    Optional<Long> create(
            String name, String hash, Set<Scope> scopes, List<TopicPattern> topics, @Nullable Instant expires) {
        return jdbc.sql("""
                        INSERT INTO api_keys (name, hash, scopes, topics, expires_at)
                        SELECT :name, decode(:hash, 'hex'), :scopes::text[], :topics::text[], :expires::timestamptz
                        WHERE :maxValid > (
                            SELECT count(*)
                            FROM api_keys
                            WHERE name = :name AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()))
                        RETURNING id
                        """)
                .param("name", name)
                .param("hash", hash)
                .param("scopes", scopes.stream().map(Scope::text).toArray(String[]::new))
                .param("topics", topics.stream().map(TopicPattern::toString).toArray(String[]::new))
                .param("expires", expires == null ? null : expires.atOffset(ZoneOffset.UTC))
                .param("maxValid", MAX_VALID)
                .query(Long.class)
                .optional();
    }

    /** Revokes a key, unless it is already; gives how many that are. */
    int revoke(long id) {
        return jdbc.sql("UPDATE api_keys SET revoked_at = now() WHERE id = ? AND revoked_at IS NULL")
                .param(id)
                .update();
    }

    /** Revokes all keys of a name that are not yet; gives how many these are. */
    int revoke(String name) {
        return jdbc.sql("UPDATE api_keys SET revoked_at = now() WHERE name = ? AND revoked_at IS NULL")
                .param(name)
                .update();
    }

    private static ApiKey key(ResultSet row, int number) throws SQLException {
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        for (String scope : texts(row, "scopes")) {
            scopes.add(Scope.valueOf(scope.toUpperCase(Locale.ROOT)));
        }
        return new ApiKey(
                row.getLong("id"),
                row.getString("name"),
                row.getString("hash"),
                scopes,
                texts(row, "topics").stream().map(TopicPattern::new).toList(),
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                instant(row, "expires_at"),
                instant(row, "revoked_at"));
    }

    private static List<String> texts(ResultSet row, String column) throws SQLException {
        return Arrays.asList((String[]) row.getArray(column).getArray());
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
