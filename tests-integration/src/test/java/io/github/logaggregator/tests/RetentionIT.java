package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.dao.DataAccessException;

/** An event goes when it is older than its topic's retention, never before, and stays in the books. */
@OwnSystem(workers = 0)
class RetentionIT {
    private static final String NASTY = "a'b\"%_\\.";

    private static LaunchOptions retention(String... topicsAndKeep) {
        LaunchOptions options =
                LaunchOptions.defaults().withArguments("--worker.lease=2s", "--worker.prune-interval=300ms");
        for (int i = 0; i < topicsAndKeep.length; i += 2) {
            options = options.withEnvironment("WORKER_RETENTION_" + i / 2 + "_TOPICS", topicsAndKeep[i]);
            if (!topicsAndKeep[i + 1].isEmpty()) {
                options = options.withEnvironment("WORKER_RETENTION_" + i / 2 + "_KEEP", topicsAndKeep[i + 1]);
            }
        }
        return options;
    }

    private static AggregatorSystem system;

    @BeforeAll
    static void startWorkers(AggregatorSystem own) {
        system = own;
        system.start(
                0,
                3,
                retention(
                        NASTY + "*",
                        "5m",
                        "exempt.*",
                        "",
                        "exempt.short",
                        "1s",
                        "*.short",
                        "5m",
                        "again",
                        "1s",
                        "*",
                        "1h"));
    }

    /** The timestamps are years old, which does not matter. */
    @Test
    void theFirstPatternThatFitsATopicSaysHowLongItsEventsAreKept() {
        Books before = system.awaitSettled();
        double expiredBefore = expiredByWorkers(system);
        List<String> expiring = List.of(NASTY, NASTY + "é😀", "x.short", "😀.short");
        List<String> kept = List.of("a'bX\"%_\\.", "a'b\"X_\\.", "a'b\"%X\\.", "exempt.short", "short.x", "other");
        for (String topic : Stream.concat(expiring.stream(), kept.stream()).toList()) {
            system.publish(TestEvents.json(List.of(
                            TestEvents.event(topic, "1"), TestEvents.event(topic, "2"), conflicting(topic, "1"))))
                    .then()
                    .statusCode(200);
        }
        assertThat(AggregatorSystem.change(before, system.awaitSettled()))
                .isEqualTo(new Books(30, 20, 0, 10, 10, 0, 0, 0, 0));
        system.jdbc()
                .sql("UPDATE events SET stored_at = stored_at - interval '10 min'")
                .update();
        // What a settlement leaves that was under way when its event was deleted.
        system.jdbc()
                .sql("INSERT INTO conflicts (topic, event_id, ts, source, payload, received_at)"
                        + " VALUES ('other', '3', now(), 'test', '{}', now())")
                .update();

        await().untilAsserted(() -> assertThat(
                        AggregatorSystem.change(before, system.stats().books()))
                .isEqualTo(new Books(30, 20, 8, 10, 10, 0, 0, 0, 0)));
        assertThat(system.jdbc()
                        .sql("SELECT DISTINCT topic FROM events WHERE event_id = '1'")
                        .query(String.class)
                        .list())
                .containsExactlyInAnyOrderElementsOf(kept);
        await().untilAsserted(() -> assertThat(system.jdbc()
                        .sql("SELECT topic || event_id FROM conflicts")
                        .query(String.class)
                        .list())
                .containsExactlyInAnyOrderElementsOf(
                        kept.stream().map(topic -> topic + "1").toList()));
        await().untilAsserted(() ->
                assertThat(expiredByWorkers(system) - expiredBefore).isEqualTo(8));
        assertThat(system.workers().stream().map(ServiceProcess::log))
                .allSatisfy(log -> assertThat(log.lines().filter(line -> line.contains("that had expired")))
                        .hasSizeLessThan(3))
                .anySatisfy(log -> assertThat(log).contains("that had expired"));

        // The duplicate window has ended with it.
        system.http()
                .header("Content-Type", "application/json")
                .body(TestEvents.json(List.of(TestEvents.event("x.short", "1"), TestEvents.event("exempt.short", "1"))))
                .post("/publish?wait=20s")
                .then()
                .statusCode(200)
                .body("outcomes", contains("stored", "duplicate"));
        assertThat(AggregatorSystem.change(before, system.awaitSettled()))
                .isEqualTo(new Books(32, 21, 8, 11, 10, 0, 0, 0, 0));
        assertThat(rowsLessThanBooks(system)).isZero();
        system.http()
                .get("/topics")
                .then()
                .statusCode(200)
                .body("find { it.topic == 'x.short' }.stored", equalTo(3))
                .body("find { it.topic == 'x.short' }.expired", equalTo(2))
                .body("find { it.topic == 'other' }.expired", equalTo(0));
    }

    private static double expiredByWorkers(AggregatorSystem system) {
        return system.workers().stream()
                .flatMap(worker -> system.metrics(worker).lines())
                .filter(line -> line.startsWith("aggregator_events_expired_total"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    @Test
    @OwnSystem(workers = 0)
    void theConflictsOfAnEventGoWithIt(AggregatorSystem own) {
        // With the usual worker.prune-interval, so that nothing sweeps up behind it.
        own.startWorker(LaunchOptions.defaults()
                .withEnvironment("WORKER_RETENTION_0_TOPICS", "*")
                .withEnvironment("WORKER_RETENTION_0_KEEP", "1s"));
        own.publish(TestEvents.json(List.of(TestEvents.event("t", "1"), conflicting("t", "1"))))
                .then()
                .statusCode(200);
        await().until(() -> own.stats().books().equals(new Books(2, 1, 1, 1, 1, 0, 0, 0, 0)));
        assertThat(own.jdbc()
                        .sql("SELECT count(*) FROM conflicts")
                        .query(Long.class)
                        .single())
                .isZero();
    }

    private static Event conflicting(String topic, String eventId) {
        return new Event(topic, eventId, Instant.EPOCH, "other", "{}");
    }

    private static List<@Nullable String> ids(AggregatorSystem system, String topic) {
        return system.jdbc()
                .sql("SELECT event_id FROM events WHERE topic = ? ORDER BY arrival_number")
                .param(topic)
                .query(String.class)
                .list();
    }

    /**
     * Producers that send the same keys again and again, with one of two contents, while a worker and PostgreSQL are killed
     * and events expire after a second.
     */
    @Test
    void nothingIsLostOrCountedTwiceWhileEventsExpireThatAreSentAgain() throws Exception {
        system.jdbc()
                .sql("CREATE TABLE gone (topic text, event_id text, age interval)")
                .update();
        system.jdbc().sql("""
                        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
                        BEGIN
                            INSERT INTO gone VALUES (OLD.topic, OLD.event_id, now() - OLD.stored_at);
                            RETURN NULL;
                        END
                        $$
                        """).update();
        system.jdbc()
                .sql("CREATE TRIGGER note AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION note()")
                .update();
        Books first = system.awaitSettled();
        BooksWatch watch = new BooksWatch(system);
        Load load = new Load(system, System.nanoTime());
        List<Long> wrong = new ArrayList<>();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            IntStream.range(0, 8).forEach(i -> all.add(threads.submit(() -> load.publish(i))));
            all.add(threads.submit(() -> {
                while (!load.isOver()) {
                    watch.run();
                    long difference = rowsLessThanBooks(system);
                    if (difference != 0) {
                        wrong.add(difference);
                    }
                }
            }));
            try {
                awaitMoreExpired(system);
                ServiceProcess killed = system.workers().getFirst();
                killed.kill();
                awaitMoreExpired(system);
                assertThat(deadlocks(system)).isZero(); // which PostgreSQL forgets with its kill
                system.postgres().kill();
                system.postgres().start();
                killed.start();
                system.postgres().awaitReady();
                awaitMoreExpired(system);
            } finally {
                load.over = true;
            }
            for (Future<?> one : all) {
                one.get();
            }
        }
        assertThat(watch.wrong()).as("seed %s", load.seed).isEmpty();
        assertThat(watch.answers()).isGreaterThan(3);
        assertThat(wrong).as("seed %s", load.seed).isEmpty();

        Books books = system.awaitSettled();
        assertThat(AggregatorSystem.change(first, books).conflicting()).isPositive();
        assertThat(system.jdbc()
                        .sql("SELECT event_id FROM events WHERE topic = 'once'")
                        .query(String.class)
                        .set())
                .containsAll(load.accepted);
        await().until(() -> ids(system, "again").isEmpty());
        assertThat(system.jdbc()
                        .sql("SELECT count(*) FROM gone WHERE topic <> 'again' OR age <= interval '1 s'")
                        .query(Long.class)
                        .single())
                .isZero();
        assertThat(expired(system) - first.expired())
                .isEqualTo(system.jdbc()
                        .sql("SELECT count(*) FROM gone")
                        .query(Long.class)
                        .single());
        assertThat(rowsLessThanBooks(system)).isZero();
        assertThat(deadlocks(system)).isZero();
        await().until(() -> system.jdbc()
                        .sql("SELECT count(*) FROM conflicts WHERE topic = 'again'")
                        .query(Long.class)
                        .single()
                == 0);
        system.jdbc().sql("DROP TRIGGER note ON events").update();
        system.workers().forEach(ServiceProcess::awaitReady);
    }

    private static void awaitMoreExpired(AggregatorSystem system) {
        long before = await().until(() -> expired(system), n -> true);
        await().until(() -> expired(system) > before);
    }

    private static long deadlocks(AggregatorSystem system) {
        return system.jdbc()
                .sql("SELECT sum(deadlocks) FROM pg_stat_database")
                .query(Long.class)
                .single();
    }

    private static long expired(AggregatorSystem system) {
        return system.stats().books().expired();
    }

    /** How many rows are missing that were stored and have not expired, in one snapshot; 0 if PostgreSQL is away. */
    private static long rowsLessThanBooks(AggregatorSystem system) {
        try {
            return system.jdbc().sql("""
                            SELECT (SELECT sum(stored) - sum(expired) FROM (
                                SELECT stored, expired FROM topic_totals
                                UNION ALL
                                SELECT stored, expired FROM totals_delta
                            ) AS counted) - (SELECT count(*) FROM events)
                            """).query(Long.class).single();
        } catch (DataAccessException e) {
            return 0;
        }
    }

    private static ConditionFactory await() {
        return Awaitility.await()
                .atMost(60, TimeUnit.SECONDS)
                .pollInterval(50, TimeUnit.MILLISECONDS)
                .ignoreExceptions();
    }

    /**
     * Sends to one topic the same few keys all the time, to another one new ones, and remembers what was accepted of these. It
     * waits for the outcome, so that nothing piles up.
     */
    private static final class Load {
        final long seed;
        final Set<String> accepted = ConcurrentHashMap.newKeySet();
        volatile boolean over;
        private final AggregatorSystem system;
        private final HttpClient client = HttpClient.newHttpClient();

        Load(AggregatorSystem system, long seed) {
            this.system = system;
            this.seed = seed;
        }

        boolean isOver() {
            return over;
        }

        void publish(int number) {
            Random random = new Random(seed + number);
            for (int request = 0; !over; request++) {
                String fresh = number + "-" + request;
                List<Event> events = Stream.concat(
                                Stream.of(TestEvents.event("once", fresh)),
                                random.ints(50, 0, 500)
                                        .mapToObj(key -> random.nextInt(10) == 0
                                                ? conflicting("again", Integer.toString(key))
                                                : TestEvents.event("again", Integer.toString(key))))
                        .toList();
                if (isAccepted(TestEvents.json(events))) {
                    accepted.add(fresh);
                }
            }
        }

        private boolean isAccepted(String json) {
            HttpRequest request = HttpRequest.newBuilder(system.api().resolve("/publish?wait=2s"))
                    .timeout(Duration.ofSeconds(10))
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(json))
                    .build();
            try {
                int status = client.send(request, BodyHandlers.discarding()).statusCode();
                return status == 200 || status == 202;
            } catch (IOException | InterruptedException e) {
                return false;
            }
        }
    }
}
