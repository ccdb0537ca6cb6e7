package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * A claim counts once, however many settle it and in whatever order, and they never stop each other for good: the
 * worker's own statements, as several connections of a real PostgreSQL run them at once.
 */
@OwnSystem(apis = 0, workers = 0)
class SettlementIT {
    private static final Path STATEMENTS = AggregatorSystem.ROOT.resolve("aggregator-worker/src/main/resources/sql");
    private static final AtomicLong SEQUENCE = new AtomicLong();

    private static AggregatorSystem system;
    private static String settle;
    private static String foldTotals;
    private static String pruneConflicts;

    @BeforeAll
    static void createTheSchema(AggregatorSystem own) throws IOException, SQLException {
        system = own;
        settle = Files.readString(STATEMENTS.resolve("settle.sql"));
        foldTotals = Files.readString(STATEMENTS.resolve("fold_totals.sql"));
        pruneConflicts = Files.readString(STATEMENTS.resolve("prune_conflicts.sql"));
        try (Stream<Path> migrations = Files.list(AggregatorSystem.ROOT.resolve("db/migration"));
                Connection connection = system.connect();
                Statement statement = connection.createStatement()) {
            for (Path migration : migrations
                    .filter(file -> file.toString().endsWith(".sql"))
                    .sorted()
                    .toList()) {
                statement.execute(Files.readString(migration));
            }
        }
    }

    @Test
    void whatIsStoredAfterARestoreComesAfterWhatWasRestored() throws Exception {
        String topic = AggregatorSystem.newTopic();
        renewArrivalGeneration();
        long before = generation();
        // As a row of a server that has done very many transactions more.
        insert(
                topic,
                "restored",
                "(pg_snapshot_xmax(pg_current_snapshot())::text::bigint + (1::bigint << 40)"
                        + " + ((SELECT generation FROM arrival_generation)::bigint << 48))::text::xid8");
        insert(topic, "stored before the start", null);
        CompletableFuture<Void> other = CompletableFuture.runAsync(SettlementIT::renewArrivalGeneration);
        renewArrivalGeneration();
        other.get(1, TimeUnit.MINUTES);
        insert(topic, "stored afterwards", null);
        renewArrivalGeneration();
        assertThat(generation()).isEqualTo(before + 1);
        assertThat(system.jdbc()
                        .sql("SELECT event_id FROM events WHERE topic = ? AND arrival_xid < arrival_horizon()"
                                + " ORDER BY arrival_xid, arrival_number")
                        .param(topic)
                        .query(String.class)
                        .list())
                .containsExactly("stored before the start", "restored", "stored afterwards");
    }

    private static void insert(String topic, String eventId, @Nullable String arrivalXid) {
        system.jdbc()
                .sql("INSERT INTO events (topic, event_id, ts, source, payload, received_at"
                        + (arrivalXid == null ? "" : ", arrival_xid") + ") VALUES (?, ?, now(), 'test', '{}', now()"
                        + (arrivalXid == null ? "" : ", " + arrivalXid) + ")")
                .params(topic, eventId)
                .update();
    }

    private static void renewArrivalGeneration() {
        system.jdbc().sql("SELECT renew_arrival_generation()").query().listOfRows();
    }

    private static long generation() {
        return system.jdbc()
                .sql("SELECT generation FROM arrival_generation")
                .query(Long.class)
                .single();
    }

    @Test
    void ofTwoAtTheSameInstantOneCounts() throws Exception {
        String topic = AggregatorSystem.newTopic();
        int rounds = 200;
        CyclicBarrier together = new CyclicBarrier(2);
        long first = SEQUENCE.getAndAdd(rounds);
        Callable<List<Outcome>> settlingAll = () -> {
            try (Connection connection = system.connect()) {
                List<Outcome> outcomes = new ArrayList<>();
                for (int i = 1; i <= rounds; i++) {
                    together.await(1, TimeUnit.MINUTES);
                    outcomes.add(
                            settle(connection, first + i, List.of(TestEvents.event(topic, "same"), event(topic, i))));
                }
                return outcomes;
            }
        };
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<List<Outcome>> one = threads.submit(settlingAll);
            Future<List<Outcome>> other = threads.submit(settlingAll);
            for (int i = 0; i < rounds; i++) {
                List<Outcome> both = List.of(one.get().get(i), other.get().get(i));
                assertThat(both).filteredOn(Outcome::counted).hasSize(1);
                assertThat(both).allMatch(Outcome::inTime);
            }
        }
        assertThat(totals(topic)).isEqualTo(new Totals(rounds + 1, rounds - 1));
        assertThat(stored(topic)).isEqualTo(rounds + 1);
    }

    @Test
    void whoeverComesSecondWaitsForTheFirstAndCountsNothing() throws Exception {
        String topic = AggregatorSystem.newTopic();
        assertThat(outcomeOfTheSecond(topic, Connection::commit)).isEqualTo(new Outcome(false, true, 0, 0, 0));
        assertThat(totals(topic)).isEqualTo(new Totals(10, 0));
    }

    @Test
    void whoeverComesSecondTakesOverWhenTheFirstRollsBack() throws Exception {
        String topic = AggregatorSystem.newTopic();
        assertThat(outcomeOfTheSecond(topic, Connection::rollback)).isEqualTo(new Outcome(true, true, 10, 0, 0));
        assertThat(totals(topic)).isEqualTo(new Totals(10, 0));
    }

    /** How a transaction ends. */
    @FunctionalInterface
    private interface End {
        void of(Connection connection) throws SQLException;
    }

    private static Outcome outcomeOfTheSecond(String topic, End endOfTheFirst) throws Exception {
        long claim = SEQUENCE.incrementAndGet();
        List<Event> events = TestEvents.events(topic, 10);
        return outcomeOfTheSecond(claim, events, claim, events, endOfTheFirst);
    }

    /** Of two claims, the second of which waits for the first at a key that both have. */
    private static Outcome outcomeOfTheSecond(List<Event> ofTheFirst, List<Event> ofTheSecond, End endOfTheFirst)
            throws Exception {
        return outcomeOfTheSecond(
                SEQUENCE.incrementAndGet(), ofTheFirst, SEQUENCE.incrementAndGet(), ofTheSecond, endOfTheFirst);
    }

    private static Outcome outcomeOfTheSecond(
            long firstClaim, List<Event> ofTheFirst, long secondClaim, List<Event> ofTheSecond, End endOfTheFirst)
            throws Exception {
        try (Connection first = system.connect();
                Connection second = system.connect();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            first.setAutoCommit(false);
            assertThat(settle(first, firstClaim, ofTheFirst))
                    .isEqualTo(new Outcome(true, true, ofTheFirst.size(), 0, 0));
            Future<Outcome> outcome = threads.submit(() -> settle(second, secondClaim, ofTheSecond));
            Awaitility.await().atMost(1, TimeUnit.MINUTES).until(system::hasWaitingTransactions);
            assertThat(outcome).isNotDone();
            endOfTheFirst.of(first);
            return outcome.get(1, TimeUnit.MINUTES);
        }
    }

    @Test
    void nothingIsSettledBehindTheFence() throws SQLException {
        String topic = AggregatorSystem.newTopic();
        long claim = SEQUENCE.incrementAndGet();
        try (Connection connection = system.connect()) {
            Instant passed = Instant.now().minusSeconds(1);
            assertThat(settle(connection, claim, passed, TestEvents.events(topic, 10)))
                    .isEqualTo(new Outcome(false, false, 0, 0, 0));
            assertThat(stored(topic)).isZero();
            assertThat(totals(topic)).isEqualTo(new Totals(0, 0));

            // The claim is as good as before.
            assertThat(settle(connection, claim, TestEvents.events(topic, 10)))
                    .isEqualTo(new Outcome(true, true, 10, 0, 0));
        }
    }

    /** The other one's row is in no snapshot of the statement that it makes a conflict. */
    @Test
    void whatConflictsWithAnEventThatWasCommittedInBetweenIsFound() throws Exception {
        String topic = AggregatorSystem.newTopic();
        List<Event> first = List.of(event(topic, "1.0", 1), event(topic, "2.0", 2));
        List<Event> second = List.of(event(topic, "1.00", 1), event(topic, "2.0", 2), event(topic, "3.0", 3));
        assertThat(outcomeOfTheSecond(first, second, Connection::commit)).isEqualTo(new Outcome(true, true, 1, 2, 1));
        assertThat(conflicts(topic, "1")).containsExactly("{\"amount\": 1.00}");
        assertThat(conflicts(topic, "2")).isEmpty();
        assertThat(payload(topic, "1")).isEqualTo("{\"amount\": 1.0}");
    }

    @Test
    void nothingConflictsWithAnEventThatWasRolledBack() throws Exception {
        String topic = AggregatorSystem.newTopic();
        assertThat(outcomeOfTheSecond(
                        List.of(event(topic, "1.0", 1)), List.of(event(topic, "1.00", 1)), Connection::rollback))
                .isEqualTo(new Outcome(true, true, 1, 0, 0));
        assertThat(payload(topic, "1")).isEqualTo("{\"amount\": 1.00}");
        assertThat(conflicts(topic, "1")).isEmpty();
    }

    @Test
    void anEventThatIsBeingDeletedIsStoredAnewOnceItIsGone() throws Exception {
        assertThat(outcomeWhileItsEventIsBeingDeleted(AggregatorSystem.newTopic(), Connection::commit))
                .isEqualTo(new Outcome(true, true, 1, 0, 0));
        String topic = AggregatorSystem.newTopic();
        assertThat(outcomeWhileItsEventIsBeingDeleted(topic, Connection::rollback))
                .isEqualTo(new Outcome(true, true, 0, 1, 0));
        assertThat(totals(topic)).isEqualTo(new Totals(1, 1));
        assertThat(stored(topic)).isOne();
    }

    private static Outcome outcomeWhileItsEventIsBeingDeleted(String topic, End endOfTheDeletion) throws Exception {
        List<Event> events = List.of(event(topic, 1));
        try (Connection first = system.connect();
                Connection second = system.connect();
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            settle(first, SEQUENCE.incrementAndGet(), events);
            first.setAutoCommit(false);
            assertThat(expire(first, topic)).isOne();
            Future<Outcome> outcome = threads.submit(() -> settle(second, SEQUENCE.incrementAndGet(), events));
            Awaitility.await().atMost(1, TimeUnit.MINUTES).until(system::hasWaitingTransactions);
            endOfTheDeletion.of(first);
            return outcome.get(1, TimeUnit.MINUTES);
        }
    }

    @Test
    void aDeletionDoesNotWaitForTheSettlementOfADuplicateWhoseConflictIsDroppedLater() throws SQLException {
        String topic = AggregatorSystem.newTopic();
        try (Connection first = system.connect();
                Connection second = system.connect()) {
            settle(first, SEQUENCE.incrementAndGet(), List.of(event(topic, "1.0", 1), event(topic, "1.0", 2)));
            settle(first, SEQUENCE.incrementAndGet(), List.of(event(topic, "3.0", 1)));
            first.setAutoCommit(false);
            assertThat(settle(first, SEQUENCE.incrementAndGet(), List.of(event(topic, "2.0", 1))))
                    .isEqualTo(new Outcome(true, true, 0, 1, 1));
            assertThat(expire(second, topic)).isEqualTo(2);
            first.commit();
            assertThat(conflicts(topic, "1")).containsExactly("{\"amount\": 2.0}");

            second.createStatement().execute("SELECT drop_stray_conflicts('', '', 0, 1000000)");
            assertThat(conflicts(topic, "1")).isEmpty();
            assertThat(totals(topic)).isEqualTo(new Totals(2, 2));
            assertThat(stored(topic)).isZero();
        }
    }

    /** Deletes all events of a topic, as if they had been stored long ago; gives how many. */
    private static long expire(Connection connection, String topic) throws SQLException {
        return Objects.requireNonNull(expire(connection, topic, 0, 1_000).expired());
    }

    /** What a batch answers; no number if it was not its turn. */
    private record Batch(@Nullable Long expired, @Nullable Long upToNumber) {}

    private static Batch expire(Connection connection, String topic, int keptSeconds, int atMost) throws SQLException {
        try (PreparedStatement statement =
                connection.prepareStatement("SELECT * FROM expire_events(?, ?, '0', 0, ?)")) {
            statement.setString(1, topic);
            statement.setInt(2, keptSeconds);
            statement.setInt(3, atMost);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new Batch(row.getObject("expired", Long.class), row.getObject("up_to_number", Long.class));
            }
        }
    }

    /** Stores events that are so much older than now, in this order of arrival; gives the number of the first. */
    private static long store(Connection connection, String topic, String... ages) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("""
                INSERT INTO events (topic, event_id, ts, source, payload, received_at, stored_at)
                SELECT ?, place, now(), 'test', '{}', now(), now() - age::interval
                FROM unnest(?) WITH ORDINALITY AS event (age, place)
                ORDER BY place
                RETURNING arrival_number
                """)) {
            statement.setString(1, topic);
            statement.setArray(2, connection.createArrayOf("text", ages));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private static List<@Nullable String> ids(String topic) {
        return system.jdbc()
                .sql("SELECT event_id FROM events WHERE topic = ? ORDER BY arrival_number")
                .param(topic)
                .query(String.class)
                .list();
    }

    @Test
    void ofTheOldestThoseGoThatAreOlderAndNoneWaitsForOneThatIsNot() throws SQLException {
        try (Connection first = system.connect();
                Connection second = system.connect()) {
            // In one transaction, so that now() is the same. As it is not over, something may still come at its places.
            first.setAutoCommit(false);
            store(first, "unordered", "1 h 1 us", "1 h", "59 min", "2 h", "0", "3 h", "4 h");
            assertThat(expire(first, "unordered", 3_600, 6)).isEqualTo(new Batch(3L, null));
            // Of two sessions, one has its turn.
            assertThat(expire(second, "unordered", 3_600, 6)).isEqualTo(new Batch(null, null));
            first.commit();
            assertThat(ids("unordered")).containsExactly("2", "3", "5", "7");

            first.setAutoCommit(true);
            long number = store(first, "ordered", "5 h", "4 h", "3 h", "2 h", "1 s", "2 h");
            store(first, "ordered2", "5 h");
            assertThat(expire(first, "ordered", 3_600, 3)).isEqualTo(new Batch(3L, number + 2));
            assertThat(expire(first, "ordered", 3_600, 3)).isEqualTo(new Batch(2L, number + 3));
            assertThat(expire(first, "ordered", 3_600, 3)).isEqualTo(new Batch(0L, null));
            assertThat(ids("ordered")).containsExactly("5");
            assertThat(ids("ordered2")).containsExactly("1");

            // The clock was wrong when these were stored.
            store(first, "future", "-1 y", "-1 y", "-1 y", "2 h", "2 h");
            assertThat(expire(first, "future", 3_600, 2).expired()).isEqualTo(2);
            assertThat(ids("future")).containsExactly("1", "2", "3");
        }
    }

    @Test
    void aThousandCopiesOfOneEventAreTheFirstOneAnd999Duplicates() throws SQLException {
        String topic = AggregatorSystem.newTopic();
        List<Event> copies = IntStream.range(0, 1_000)
                .mapToObj(i -> new Event(topic, "same", Instant.EPOCH, "test", "{\"copy\":" + i + "}"))
                .toList();
        try (Connection connection = system.connect()) {
            assertThat(settle(connection, SEQUENCE.incrementAndGet(), copies))
                    .isEqualTo(new Outcome(true, true, 1, 999, 999));
        }
        assertThat(totals(topic)).isEqualTo(new Totals(1, 999));
        assertThat(system.jdbc()
                        .sql("SELECT payload->>'copy' FROM events WHERE topic = ?")
                        .param(topic)
                        .query(String.class)
                        .list())
                .containsExactly("0");
    }

    /**
     * For {@code -Dsettlement.seconds=60} a minute long, in each run a shorter time. Each claim's keys overlap those of
     * many other claims, in random order and with one of three contents; new ones come up all the time, since those that are
     * stored make nobody wait. Now and then a claim is settled once more, totals are folded and conflicts pruned.
     */
    @Test
    void twentyLoopsThatSettleOverlappingKeysNeverDeadlockAndCountExactly() throws Exception {
        long seed = Long.getLong("settlement.seed", System.nanoTime());
        Duration duration = Duration.ofSeconds(Long.getLong("settlement.seconds", 10));
        System.out.println("Overlapping keys: -Dsettlement.seed=" + seed + " for " + duration);
        String prefix = AggregatorSystem.newTopic();
        Function<Long, List<Event>> claim = number -> {
            Random random = new Random(seed + number);
            return random.longs(200, number / 20 * 100, number / 20 * 100 + 400)
                    .mapToObj(key -> event(prefix + "-" + key % 3, "1." + random.nextInt(3), key))
                    .toList();
        };
        AtomicLong claims = new AtomicLong();
        long base = SEQUENCE.getAndAdd(1_000_000);
        Instant end = Instant.now().plus(duration);
        Callable<Long> loop = () -> {
            long again = 0;
            try (Connection connection = system.connect();
                    PreparedStatement fold = connection.prepareStatement(foldTotals);
                    PreparedStatement prune = connection.prepareStatement(pruneConflicts)) {
                prune.setInt(1, 1_000);
                Random random = new Random();
                while (Instant.now().isBefore(end)) {
                    boolean taken = random.nextInt(10) == 0 && claims.get() > 0;
                    long number = taken ? claims.get() : claims.incrementAndGet();
                    again += settle(connection, base + number, claim.apply(number))
                                    .counted()
                            ? 0
                            : 1;
                    if (number % 50 == 0) {
                        fold.execute();
                        prune.execute();
                    }
                }
            }
            return again;
        };
        long again = 0;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Long> settledBefore : threads.invokeAll(Collections.nCopies(20, loop))) {
                again += settledBefore.get(); // throws what a loop threw, a deadlock (SQLSTATE 40P01) for one
            }
        }
        Set<String> keys = LongStream.rangeClosed(1, claims.get())
                .boxed()
                .flatMap(number -> claim.apply(number).stream())
                .map(Event::eventId)
                .collect(Collectors.toSet());
        System.out.println("Settled " + claims + " claims, " + again + " times one that was settled already");
        Totals totals =
                IntStream.range(0, 3).mapToObj(i -> totals(prefix + "-" + i)).reduce(new Totals(0, 0), Totals::plus);
        assertThat(totals).isEqualTo(new Totals(keys.size(), 200 * claims.get() - keys.size()));
        assertThat(IntStream.range(0, 3)
                        .mapToLong(i -> stored(prefix + "-" + i))
                        .sum())
                .isEqualTo(keys.size());
        assertThat(again).isPositive();
        assertConflictsOf(
                LongStream.rangeClosed(1, claims.get())
                        .boxed()
                        .flatMap(number -> claim.apply(number).stream())
                        .toList(),
                prefix);
    }

    /** Counted is each event that is not what is stored, whoever won; kept are the newest 10 of each key at most. */
    private static void assertConflictsOf(List<Event> settled, String prefix) {
        Map<String, String> stored = system
                .jdbc()
                .sql("SELECT event_id, payload::text FROM events WHERE topic LIKE ? || '-_'")
                .param(prefix)
                .query((row, number) -> Map.entry(row.getString(1), row.getString(2)))
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        Map<String, Long> conflicts = settled.stream()
                .filter(event -> !event.payload().equals(stored.get(event.eventId())))
                .collect(Collectors.groupingBy(Event::eventId, Collectors.counting()));
        assertThat(system.jdbc().sql("""
                                SELECT sum(conflicting) FROM (
                                    SELECT topic, conflicting FROM topic_totals
                                    UNION ALL
                                    SELECT topic, conflicting FROM totals_delta
                                ) AS counted
                                WHERE topic LIKE ? || '-_'
                                """).param(prefix).query(Long.class).single())
                .isEqualTo(conflicts.values().stream().mapToLong(n -> n).sum());
        system.jdbc().sql(pruneConflicts).param(1_000_000).query(Long.class).single();
        Map<String, Long> kept = system
                .jdbc()
                .sql("SELECT event_id, count(*) FROM conflicts WHERE topic LIKE ? || '-_' GROUP BY event_id")
                .param(prefix)
                .query((row, number) -> Map.entry(row.getString(1), row.getLong(2)))
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        conflicts.replaceAll((key, n) -> Math.min(10, n));
        assertThat(kept).isEqualTo(conflicts);
    }

    private static Event event(String topic, int id) {
        return TestEvents.event(topic, Integer.toString(id));
    }

    private static Event event(String topic, String amount, long id) {
        return new Event(topic, Long.toString(id), Instant.EPOCH, "test", "{\"amount\": " + amount + "}");
    }

    private static String payload(String topic, String eventId) {
        return system.jdbc()
                .sql("SELECT payload::text FROM events WHERE topic = ? AND event_id = ?")
                .params(topic, eventId)
                .query(String.class)
                .single();
    }

    /** The payloads that are kept beside that of a stored event, the oldest first. */
    private static List<@Nullable String> conflicts(String topic, String eventId) {
        return system.jdbc()
                .sql("SELECT payload::text FROM conflicts WHERE topic = ? AND event_id = ? ORDER BY number")
                .params(topic, eventId)
                .query(String.class)
                .list();
    }

    /** What a settlement answers. */
    private record Outcome(boolean counted, boolean inTime, long stored, long duplicates, long conflicting) {}

    private static Outcome settle(Connection connection, long claim, List<Event> events) throws SQLException {
        return settle(connection, claim, Instant.now().plusSeconds(3600), events);
    }

    /** Settles a claim as a worker does. */
    private static Outcome settle(Connection connection, long claim, Instant fence, List<Event> events)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(settle)) {
            statement.setInt(1, 0);
            statement.setLong(2, claim);
            statement.setString(3, "test");
            statement.setInt(4, events.size());
            statement.setObject(5, fence.atOffset(ZoneOffset.UTC));
            statement.setBoolean(6, false);
            statement.setBoolean(7, false);
            statement.setArray(8, texts(connection, events, Event::topic));
            statement.setArray(9, texts(connection, events, Event::eventId));
            statement.setArray(
                    10, texts(connection, events, event -> event.timestamp().toString()));
            statement.setArray(11, texts(connection, events, Event::source));
            statement.setArray(12, texts(connection, events, Event::payload));
            Long[] receivedAt = Collections.nCopies(events.size(), 0L).toArray(Long[]::new);
            statement.setArray(13, connection.createArrayOf("bigint", receivedAt));
            statement.setArray(14, texts(connection, events, event -> null));
            statement.setArray(15, connection.createArrayOf("bytea", new byte[0][]));
            statement.setArray(16, connection.createArrayOf("boolean", repeated(events)));
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new Outcome(
                        row.getBoolean("counted"),
                        row.getBoolean("in_time"),
                        row.getLong("stored"),
                        row.getLong("duplicates"),
                        row.getLong("conflicting"));
            }
        }
    }

    private static Boolean[] repeated(List<Event> events) {
        Set<List<String>> keys = new HashSet<>();
        return events.stream()
                .map(event -> !keys.add(List.of(event.topic(), event.eventId())))
                .toArray(Boolean[]::new);
    }

    private static Array texts(Connection connection, List<Event> events, Function<Event, @Nullable String> field)
            throws SQLException {
        return connection.createArrayOf("text", events.stream().map(field).toArray());
    }

    /** What was counted for a topic. */
    private record Totals(long stored, long duplicates) {
        Totals plus(Totals other) {
            return new Totals(stored + other.stored, duplicates + other.duplicates);
        }
    }

    private static Totals totals(String topic) {
        return system.jdbc()
                .sql("""
                        SELECT coalesce(sum(stored), 0) AS stored, coalesce(sum(duplicates), 0) AS duplicates
                        FROM (
                            SELECT topic, stored, duplicates FROM topic_totals
                            UNION ALL
                            SELECT topic, stored, duplicates FROM totals_delta
                        ) AS counted
                        WHERE topic = ?
                        """)
                .param(topic)
                .query((row, number) -> new Totals(row.getLong("stored"), row.getLong("duplicates")))
                .single();
    }

    private static long stored(String topic) {
        return Objects.requireNonNull(system.jdbc()
                .sql("SELECT count(*) FROM events WHERE topic = ?")
                .param(topic)
                .query(Long.class)
                .single());
    }
}
