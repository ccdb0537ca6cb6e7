package io.github.logaggregator.benchmarks;

import io.github.logaggregator.model.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.sql.DataSource;

/**
 * What PostgreSQL could do if events cost nothing before: the worker's own settlement statement, fed from memory. Each loop
 * has a connection of its own and settles one claim after the other.
 */
final class SettlementLoops implements AutoCloseable {
    private final DataSource database;
    private final String settle;
    private final int loops;
    private final int claimSize;
    private final AtomicLong sequence = new AtomicLong();

    /** One for each loop, kept from run to run: what an ended process of PostgreSQL has used can't be told any more. */
    private final List<Connection> connections = new ArrayList<>();

    /**
     * @param root the project's folder
     * @param database one with the schema
     */
    SettlementLoops(Path root, DataSource database, int loops, int claimSize) {
        this.database = database;
        this.loops = loops;
        this.claimSize = claimSize;
        try {
            this.settle = Files.readString(root.resolve("aggregator-worker/src/main/resources/sql/settle.sql"));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Settles for so long; gives the events settled in a second. */
    double eventsPerSecond(EventSource events, long millis) {
        AtomicLong settled = new AtomicLong();
        long end = System.nanoTime() + millis * 1_000_000;
        try (ExecutorService threads = Executors.newFixedThreadPool(loops)) {
            while (connections.size() < loops) {
                connections.add(database.getConnection());
            }
            List<Future<?>> running = new ArrayList<>();
            for (Connection connection : connections) {
                running.add(threads.submit(() -> {
                    settle(connection, events, end, settled);
                    return true;
                }));
            }
            for (Future<?> loop : running) {
                loop.get();
            }
        } catch (Exception e) {
            throw new IllegalStateException("The settlement loops failed", e);
        }
        return settled.get() / (millis / 1e3);
    }

    private void settle(Connection connection, EventSource events, long end, AtomicLong settled) throws SQLException {
        List<Event> claim = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(settle)) {
            while (System.nanoTime() < end) {
                claim.clear();
                for (int i = 0; i < claimSize; i++) {
                    claim.add(events.event());
                }
                settle(connection, statement, claim);
                if (System.nanoTime() < end) {
                    settled.addAndGet(claimSize);
                }
            }
        }
    }

    /** As the worker's EventStoreWriter does. */
    private void settle(Connection connection, PreparedStatement statement, List<Event> claim) throws SQLException {
        int i = 0;
        statement.setInt(++i, 0);
        statement.setLong(++i, sequence.incrementAndGet());
        statement.setString(++i, "benchmark");
        statement.setInt(++i, claim.size());
        statement.setObject(++i, OffsetDateTime.now(ZoneOffset.UTC).plusHours(12));
        statement.setBoolean(++i, false);
        statement.setBoolean(++i, false);
        for (Function<Event, String> field : List.<Function<Event, String>>of(
                Event::topic, Event::eventId, event -> event.timestamp().toString(), Event::source, Event::payload)) {
            statement.setArray(
                    ++i,
                    connection.createArrayOf("text", claim.stream().map(field).toArray(String[]::new)));
        }
        Long[] receivedAt = new Long[claim.size()];
        Arrays.fill(receivedAt, Instant.now().toEpochMilli());
        statement.setArray(++i, connection.createArrayOf("bigint", receivedAt));
        statement.setArray(
                ++i,
                connection.createArrayOf(
                        "text", Stream.generate(() -> null).limit(claim.size()).toArray(String[]::new)));
        statement.setArray(++i, connection.createArrayOf("bytea", new byte[0][]));
        Set<String> ids = HashSet.newHashSet(claim.size());
        statement.setArray(
                ++i,
                connection.createArrayOf(
                        "boolean",
                        claim.stream().map(event -> !ids.add(event.eventId())).toArray(Boolean[]::new)));
        statement.executeQuery().close();
    }

    @Override
    public void close() {
        for (Connection connection : connections) {
            try {
                connection.close();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
