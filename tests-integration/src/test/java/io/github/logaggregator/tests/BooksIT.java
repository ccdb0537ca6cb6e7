package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats;
import io.github.logaggregator.model.Stats.Books;
import io.lettuce.core.LMoveArgs;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.util.FileSystemUtils;

/** The books balance in every answer, and show to the event what is missing or was counted twice. */
class BooksIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    @Test
    @OwnSystem(apis = 2, workers = 2)
    void balanceInEveryAnswerAtFullSpeedAndLeaveNothingBehind(AggregatorSystem system) throws Exception {
        Load load = new Load(system, System.nanoTime(), 50_000);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Polls>> polls = IntStream.range(0, 3)
                    .mapToObj(i -> threads.submit(() -> load.pollUntilSettled(i)))
                    .toList();
            List<Future<?>> publishers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int number = i;
                publishers.add(threads.submit(() -> load.publish(number)));
            }
            for (Future<?> publisher : publishers) {
                publisher.get();
            }
            load.published = true;
            for (Future<Polls> poll : polls) {
                assertThat(poll.get().answers()).as("%s", poll.get()).isGreaterThan(20);
                assertThat(poll.get().underWay()).as("%s", poll.get()).isGreaterThan(10);
            }
        }
        Books books = system.stats().books();
        long distinct = load.distinct.get();
        assertThat(books.received())
                .as("seed %s", load.seed)
                .isBetween(load.accepted.get(), load.accepted.get() + load.unanswered.get());
        assertThat(books).isEqualTo(new Books(books.received(), distinct, books.received() - distinct, 0, 0, 0, 0));
        assertThat(rows(system, "events")).isEqualTo(distinct);
        assertNothingIsLeft(system, books);
    }

    /** What stays is what is bounded by something else than the number of events. */
    private static void assertNothingIsLeft(AggregatorSystem system, Books books) {
        RedisCommands<String, String> redis = system.redis();
        redis.zadd(
                KEYS.workers(), (double) Instant.now().minus(Duration.ofDays(2)).toEpochMilli(), "gone two days ago");

        system.awaitAcknowledged();
        assertThat(redis.keys("*")).containsExactlyInAnyOrder(KEYS.counters(), KEYS.workers());
        String received = Long.toString(books.received());
        assertThat(redis.hgetall(KEYS.counters()))
                .containsEntry("received", received)
                .containsEntry("settled", received)
                .containsEntry("claims", Long.toString(rows(system, "settled_claims")))
                .containsEntry("settled_bytes", redis.hget(KEYS.counters(), "received_bytes"))
                .containsEntry("queued", "0")
                .containsEntry("queued_entries", "0")
                .hasSize(7);
        Awaitility.await().atMost(20, TimeUnit.SECONDS).untilAsserted(() -> {
            assertThat(rows(system, "totals_delta")).isZero();
            assertThat(redis.zcard(KEYS.workers())).isEqualTo(2);
        });
        assertThat(rows(system, "topic_totals")).isEqualTo(Load.TOPICS);
        assertThat(rows(system, "dead_letters")).isZero();
        assertThat(system.stats().books()).isEqualTo(books);
    }

    private static long rows(AggregatorSystem system, String table) {
        return system.jdbc()
                .sql("SELECT count(*) FROM " + table)
                .query(Long.class)
                .single();
    }

    /**
     * What one poller saw.
     *
     * @param underWay answers in which something was queued or in flight
     */
    private record Polls(int answers, int underWay, Books last) {}

    /** Publishers that send as fast as they can, three of ten events not for the first time, and pollers of the books. */
    private static final class Load {
        static final int TOPICS = 4;

        final long seed;
        final AtomicInteger distinct = new AtomicInteger();
        final AtomicLong accepted = new AtomicLong();
        final AtomicLong unanswered = new AtomicLong();
        volatile boolean published;
        private final AtomicInteger left;
        private final List<ServiceProcess> apis;
        private final HttpClient client = HttpClient.newHttpClient();

        Load(AggregatorSystem system, long seed, int events) {
            this.apis = system.apis();
            this.seed = seed;
            this.left = new AtomicInteger(events);
        }

        /** Sends one event or a batch, by turns, until there are none left. */
        void publish(int number) {
            SplittableRandom random = new SplittableRandom(seed + number);
            for (int request = 0; left.get() > 0; request++) {
                int size = request % 2 == 0 ? 1 : random.nextInt(1, 100);
                left.addAndGet(-size);
                List<Event> events = IntStream.range(0, size)
                        .mapToObj(i -> {
                            int id = random.nextInt(10) < 3 && distinct.get() > 0
                                    ? random.nextInt(distinct.get())
                                    : distinct.getAndIncrement();
                            return TestEvents.event("t" + id % TOPICS, Integer.toString(id));
                        })
                        .toList();
                String json = size == 1 ? TestEvents.json(events.getFirst()) : TestEvents.json(events);
                while (status(number + request, json) != 200) {
                    // A slow machine's 503: it may have been taken, and counts twice then, as received and as a
                    // duplicate.
                    unanswered.addAndGet(size);
                }
                accepted.addAndGet(size);
            }
        }

        private int status(int api, String json) {
            int status = send(HttpRequest.newBuilder(
                                    apis.get(api % apis.size()).uri().resolve("/publish"))
                            .header("Content-Type", "application/json")
                            .POST(BodyPublishers.ofString(json)))
                    .statusCode();
            assertThat(status).isIn(200, 503);
            return status;
        }

        Polls pollUntilSettled(int number) {
            Polls polls = new Polls(0, 0, new Books(0, 0, 0, 0, 0, 0, 0));
            do {
                // Before the books are read: what is settled in them then is all there will be.
                boolean all = published;
                polls = poll(number, polls);
                if (all && polls.last().queued() + polls.last().inFlight() == 0) {
                    return polls;
                }
            } while (true);
        }

        private Polls poll(int number, Polls before) {
            HttpResponse<String> response = send(HttpRequest.newBuilder(
                    apis.get((number + before.answers()) % apis.size()).uri().resolve("/stats")));
            if (response.statusCode() == 503) {
                return before; // a slow machine's, too
            }
            assertThat(response.statusCode()).isEqualTo(200);
            Books books =
                    TestEvents.JSON.readValue(response.body(), Stats.class).books();
            String context = "seed %s, before %s, now %s".formatted(seed, before, books);
            assertThat(books.unaccounted()).as(context).isZero();
            assertThat(books.received())
                    .as(context)
                    .isEqualTo(books.stored()
                            + books.duplicates()
                            + books.deadLettered()
                            + books.queued()
                            + books.inFlight());
            assertThat(books.received())
                    .as(context)
                    .isGreaterThanOrEqualTo(before.last().received());
            assertThat(books.stored())
                    .as(context)
                    .isGreaterThanOrEqualTo(before.last().stored());
            assertThat(books.duplicates())
                    .as(context)
                    .isGreaterThanOrEqualTo(before.last().duplicates());
            return new Polls(
                    before.answers() + 1, before.underWay() + (books.queued() + books.inFlight() > 0 ? 1 : 0), books);
        }

        private HttpResponse<String> send(HttpRequest.Builder request) {
            try {
                return client.send(request.timeout(Duration.ofMinutes(1)).build(), BodyHandlers.ofString());
            } catch (IOException | InterruptedException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    @OwnSystem(workers = 0)
    void showToTheEventWhatIsMissingAndWhatWasCountedTwice(AggregatorSystem system) {
        RedisCommands<String, String> redis = system.redis();
        // Each in an entry of its own
        TestEvents.events("t", 100).forEach(event -> system.publish(TestEvents.json(event)));
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 100, 0, 0));

        // On the queue: three events that vanish, one that is there twice.
        List<String> lost = redis.rpop(KEYS.queue(), 3);
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 97, 0, 3));
        redis.rpush(KEYS.queue(), lost.toArray(String[]::new));
        redis.lpush(KEYS.queue(), lost.getFirst());
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 101, 0, -1));
        redis.lpop(KEYS.queue());

        // In a claim that no worker has: some of its events, all of them, its lease.
        String claim = claim(redis, 20);
        String entries = KEYS.claimPrefix() + claim;
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 80, 20, 0));
        lost = redis.lpop(entries, 5);
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 80, 15, 5));
        redis.lpush(entries, lost.reversed().toArray(String[]::new));
        lost = redis.lrange(entries, 0, -1);
        redis.del(entries);
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 80, 0, 20));
        redis.zrem(KEYS.claims(), claim);
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 80, 0, 20));
        redis.rpush(entries, lost.toArray(String[]::new));
        assertThat(system.stats().books()).isEqualTo(new Books(100, 0, 0, 0, 80, 0, 20));

        // In PostgreSQL: what is counted and never was, folded or not; what was and is not any more.
        letItsLeaseRunOut(redis, claim);
        system.startWorker();
        assertThat(system.awaitSettled()).isEqualTo(new Books(100, 100, 0, 0, 0, 0, 0));
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(rows(system, "totals_delta")).isZero());
        change(system, "UPDATE topic_totals SET stored = stored + 7");
        assertThat(system.stats().books()).isEqualTo(new Books(100, 107, 0, 0, 0, 0, -7));
        change(system, "INSERT INTO totals_delta (topic, stored, duplicates, dead_lettered) VALUES ('t', -7, 2, 1)");
        assertThat(system.stats().books()).isEqualTo(new Books(100, 100, 2, 1, 0, 0, -3));
        // In one statement, since the worker may fold the totals at any time.
        change(
                system,
                "WITH gone AS (DELETE FROM totals_delta)"
                        + " UPDATE topic_totals SET stored = 96, duplicates = 0, dead_lettered = 0");
        assertThat(system.stats().books()).isEqualTo(new Books(100, 96, 0, 0, 0, 0, 4));
        change(system, "UPDATE topic_totals SET stored = 100");
        assertThat(system.stats().books()).isEqualTo(new Books(100, 100, 0, 0, 0, 0, 0));

        // A claim that comes again, and whose id PostgreSQL has forgotten.
        change(system, "DELETE FROM settled_claims");
        redis.rpush(entries, lost.toArray(String[]::new));
        letItsLeaseRunOut(redis, claim);
        Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> redis.zcard(KEYS.claims()) == 0);
        assertThat(system.stats().books()).isEqualTo(new Books(100, 100, 20, 0, 0, 0, -20));
    }

    /** It can't be seen in the books, which balance again when Redis has forgotten what PostgreSQL has. */
    @Test
    @OwnSystem
    void comeWithAWarningWhenRedisIsBroughtBackFromAnOlderState(AggregatorSystem system) throws IOException {
        assumeTrue(
                Backing.chosen() == Backing.EMBEDDED,
                "Skipped: the stores run in containers, whose disks are out of this test's reach");
        Path data = Path.of(system.redis().configGet("dir").get("dir"));
        Path older = data.resolveSibling("older");
        system.publish(TestEvents.json(TestEvents.events("t", 10)));
        system.awaitSettled();
        system.redisStore().stop();
        FileSystemUtils.copyRecursively(data, older);
        startAgain(system);
        system.publish(TestEvents.json(TestEvents.events("u", 10))).then().statusCode(200);
        assertThat(system.awaitSettled()).isEqualTo(new Books(20, 20, 0, 0, 0, 0, 0));
        assertThat(system.stats().queue().rolledBack()).isFalse();

        system.redisStore().stop();
        FileSystemUtils.deleteRecursively(data);
        Files.move(older, data);
        startAgain(system);
        assertThat(system.stats().queue().rolledBack()).isTrue();

        // The worker has lived through it, and the number of its next claim is that of its last one.
        system.publish(TestEvents.json(TestEvents.events("v", 10))).then().statusCode(200);
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .untilAsserted(() ->
                        assertThat(rows(system, "events WHERE topic = 'v'")).isEqualTo(10));
    }

    private static void startAgain(AggregatorSystem system) {
        system.redisStore().start();
        system.redisStore().awaitReady();
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> system.http().get("/stats").statusCode() == 200);
    }

    private static void change(AggregatorSystem system, String sql) {
        assertThat(system.jdbc().sql(sql).update()).isPositive();
    }

    /** Moves entries into a claim as a worker does, which dies then; its lease lasts. */
    private static String claim(RedisCommands<String, String> redis, int events) {
        String id = "dead-worker:" + redis.hincrby(KEYS.counters(), "claims", 1);
        redis.zadd(
                KEYS.claims(), (double) Instant.now().plus(Duration.ofHours(1)).toEpochMilli(), id);
        for (int i = 0; i < events; i++) {
            redis.lmove(KEYS.queue(), KEYS.claimPrefix() + id, LMoveArgs.Builder.rightRight());
        }
        return id;
    }

    private static void letItsLeaseRunOut(RedisCommands<String, String> redis, String claim) {
        redis.zadd(KEYS.claims(), 1, claim);
    }
}
