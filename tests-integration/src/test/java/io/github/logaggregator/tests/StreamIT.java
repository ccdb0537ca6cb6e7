package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import java.net.Socket;
import java.net.URLEncoder;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code GET /events/stream} gives its subscribers every event, once, in one order, whatever happens. */
@OwnSystem(apis = 0, workers = 0)
class StreamIT {
    private static final String HEARTBEAT = "--api.subscribers.heartbeat=200ms";

    /** How long Tomcat lets a client take nothing. */
    private static final String WRITE_TIMEOUT = "--server.tomcat.connection-timeout=10s";

    private static AggregatorSystem system;

    @BeforeAll
    static void startFourWorkers(AggregatorSystem own) {
        system = own;
        system.startApi(LaunchOptions.defaults().withArguments(HEARTBEAT, WRITE_TIMEOUT));
        system.start(0, 4);
    }

    @AfterEach
    void everythingIsAccountedFor() {
        assertThat(system.awaitSettled().unaccounted()).isZero();
        await(() -> metric("aggregator_subscribers") == 0);
    }

    @Test
    void givesEverySubscriberEveryEventOnceInOneOrderThoughItsConnectionBreaks() throws Exception {
        int producers = 4;
        int batches = 125;
        List<String> topics = IntStream.range(0, producers)
                .mapToObj(i -> AggregatorSystem.newTopic())
                .toList();
        String firstTopic = "?topic=" + topics.getFirst();
        String twoTopics = firstTopic + "&topic=" + topics.getLast();
        try (Subscription start = Subscription.to(system.api(), "", null)) {
            await(() -> !start.lastEventId().isEmpty());
            List<Reader> readers = List.of(
                    new Reader(1, ""),
                    new Reader(2, ""),
                    new Reader(3, firstTopic),
                    new Reader(4, firstTopic),
                    new Reader(5, twoTopics));
            readers.forEach(reader -> reader.subscribe(start.lastEventId()));
            List<CompletableFuture<Void>> publishing = topics.stream()
                    .map(topic -> CompletableFuture.runAsync(() -> publish(topic, batches, 100)))
                    .toList();
            publishing.forEach(CompletableFuture::join);
            system.awaitSettled();
            List<String> all = inOrderOfArrival(topics);
            assertThat(all).hasSize(producers * batches * 100);
            awaitAll(readers.get(0), all);
            awaitAll(readers.get(1), all);
            List<String> ofFirst = inOrderOfArrival(topics.subList(0, 1));
            awaitAll(readers.get(2), ofFirst);
            awaitAll(readers.get(3), ofFirst);
            awaitAll(readers.get(4), inOrderOfArrival(List.of(topics.getFirst(), topics.getLast())));
            assertThat(readers).allSatisfy(reader -> assertThat(reader.breaks).hasValueGreaterThan(3));
            // It was there all the time.
            assertThat(start.eventIds()).isEqualTo(all);
        }
    }

    /** A subscriber whose connection breaks at random, and that comes again with the last id it got. */
    private static final class Reader {
        private final List<String> eventIds = Collections.synchronizedList(new ArrayList<>());
        private final Random random;
        private final String query;
        private final AtomicInteger breaks = new AtomicInteger();
        private final List<Subscription> subscriptions = new CopyOnWriteArrayList<>();
        private int left;

        Reader(long seed, String query) {
            this.random = new Random(seed);
            this.query = query;
        }

        void subscribe(String lastEventId) {
            left = random.nextInt(1, 4_000);
            subscriptions.add(Subscription.to(system.api(), query, lastEventId, this::read));
        }

        private void read(Subscription current, Subscription.Message message) {
            eventIds.add(message.eventId());
            left--;
            if (left == 0) {
                current.close();
                breaks.incrementAndGet();
                subscribe(current.lastEventId());
            }
        }
    }

    private static void awaitAll(Reader reader, List<String> eventIds) {
        await(() -> reader.eventIds.size() >= eventIds.size());
        awaitHeartbeats(reader.subscriptions.getLast());
        reader.subscriptions.forEach(Subscription::close);
        assertThat(reader.eventIds).isEqualTo(eventIds);
    }

    private static void publish(String topic, int batches, int size) {
        for (int batch = 0; batch < batches; batch++) {
            int first = batch * size;
            List<Event> events = IntStream.range(first, first + size)
                    .mapToObj(i -> TestEvents.event(topic, topic + i))
                    .toList();
            system.publish(TestEvents.json(events)).then().statusCode(200);
        }
    }

    private static List<String> inOrderOfArrival(List<String> topics) {
        return system.jdbc()
                .sql("SELECT event_id FROM events WHERE topic IN (:topics) ORDER BY arrival_xid, arrival_number")
                .param("topics", topics)
                .query((row, number) -> row.getString("event_id"))
                .list();
    }

    @Test
    void waitsForWhatIsCommittedLateAndGivesItFirst() throws Exception {
        String topic = AggregatorSystem.newTopic();
        try (Subscription ofAll = Subscription.to(system.api(), "", null);
                Subscription ofTopic = Subscription.to(system.api(), "?topic=" + topic, null);
                Connection connection = system.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO events (topic, event_id, ts, source, payload, received_at) VALUES ('" + topic
                    + "', 'late', now(), 'test', '{}', now())");
            system.publish(TestEvents.json(TestEvents.events(topic, 3)));
            system.awaitSettled();
            try (Subscription fromTheBeginning =
                    Subscription.to(system.api(), "?topic=" + topic + "&after=0-0", null)) {
                awaitHeartbeats(ofAll, ofTopic, fromTheBeginning);
                assertThat(ofAll.messages()).isEmpty();
                assertThat(ofTopic.messages()).isEmpty();
                assertThat(fromTheBeginning.messages()).isEmpty();
                connection.commit();
                for (Subscription each : List.of(ofAll, ofTopic, fromTheBeginning)) {
                    await(() -> each.count() == 4);
                    assertThat(each.eventIds()).containsExactly("late", "0", "1", "2");
                }
            }
        }
    }

    private static void awaitHeartbeats(Subscription... subscriptions) {
        for (Subscription subscription : subscriptions) {
            int before = subscription.comments();
            await(() -> subscription.comments() > before + 3);
        }
    }

    @Test
    void beginsWithWhatArrivesFromNowOnAndGoesOnWhereItIsTold() throws Exception {
        String topic = AggregatorSystem.newTopic();
        List<Event> events = TestEvents.events(topic, 4);
        system.publish(TestEvents.json(events.subList(0, 2)));
        system.awaitSettled();
        try (Subscription live = Subscription.to(system.api(), "?topic=" + topic, null)) {
            assertThat(live.messages()).isEmpty();
            system.publish(TestEvents.json(events.subList(2, 4)));
            await(() -> live.count() == 2);
            assertThat(live.eventIds()).containsExactly("2", "3");
            assertThat(TestEvents.tree(live.messages().getFirst().data()))
                    .isEqualTo(TestEvents.tree(TestEvents.json(events.get(2))));
            assertThat(Integer.parseInt(live.retry())).isBetween(1_000, 3_000);
            String second = live.messages().getFirst().id();
            try (Subscription after = Subscription.to(system.api(), "?topic=" + topic + "&after=" + second, null);
                    // As a browser does it.
                    Subscription again = Subscription.to(system.api(), "?topic=" + topic + "&after=0-0", second);
                    Subscription all = Subscription.to(system.api(), "?topic=" + topic + "&after=0-0", null)) {
                await(() -> all.count() == 4);
                assertThat(all.eventIds()).containsExactly("0", "1", "2", "3");
                awaitHeartbeats(after, again);
                assertThat(after.eventIds()).containsExactly("3");
                assertThat(again.eventIds()).containsExactly("3");
            }
        }
    }

    @Test
    void givesTheTopicsAskedForWhateverCharactersTheyHave() throws Exception {
        List<String> topics = List.of("a,b " + AggregatorSystem.newTopic(), "ü\"&%25+ " + AggregatorSystem.newTopic());
        String query = "?topic=" + URLEncoder.encode(topics.get(0), UTF_8) + "&topic="
                + URLEncoder.encode(topics.get(1), UTF_8);
        try (Subscription subscription = Subscription.to(system.api(), query, null)) {
            for (String topic : List.of(topics.get(0), "a", AggregatorSystem.newTopic(), topics.get(1))) {
                system.publish(TestEvents.json(TestEvents.event(topic, "of " + topic)));
            }
            system.awaitSettled();
            await(() -> subscription.count() == 2);
            awaitHeartbeats(subscription);
            assertThat(subscription.eventIds()).containsExactlyInAnyOrder("of " + topics.get(0), "of " + topics.get(1));
        }
    }

    @Test
    void cutsOffWhoTakesNothingAndHoldsUpNobody() throws Exception {
        String topic = AggregatorSystem.newTopic();
        int events = 60;
        try (Socket slow = new Socket(system.api().getHost(), system.api().getPort());
                Subscription other = Subscription.to(system.api(), "?topic=" + topic, null)) {
            slow.setReceiveBufferSize(10_000);
            slow.getOutputStream()
                    .write("GET /events/stream?topic=%s HTTP/1.1\r\nHost: test\r\n\r\n"
                            .formatted(topic)
                            .getBytes(UTF_8));
            await(() -> metric("aggregator_subscribers") == 2);
            // More than the buffers on the way hold.
            for (int i = 0; i < events; i++) {
                system.publish(TestEvents.json(TestEvents.ofPayloadSize(topic, "e" + i, 500_000)))
                        .then()
                        .statusCode(200);
            }
            await(() -> other.count() == events);
            await(() -> metric("aggregator_subscribers") == 1);
        }
    }

    @Test
    void givesWhoPausedForLongerThanItIsKeptEverythingAllTheSame() throws Exception {
        String topic = AggregatorSystem.newTopic();
        int events = 40;
        CountDownLatch pause = new CountDownLatch(1);
        try (Subscription pausing = Subscription.to(
                        system.api(), "?topic=" + topic, null, (subscription, message) -> await(pause));
                Subscription other = Subscription.to(system.api(), "?topic=" + topic, null)) {
            // More than the buffers on the way hold, and the 1 MB of a subscriber.
            for (int i = 0; i < events; i++) {
                system.publish(TestEvents.json(TestEvents.ofPayloadSize(topic, "e" + i, 500_000)))
                        .then()
                        .statusCode(200);
            }
            await(() -> other.count() == events);
            assertThat(pausing.count()).isEqualTo(1);
            pause.countDown();
            await(() -> pausing.count() >= events);
            awaitHeartbeats(pausing);
            assertThat(pausing.messages()).isEqualTo(other.messages());
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void leadsFromTheBeginningThroughManyEventsToThoseThatComeMeanwhile() throws Exception {
        String topic = AggregatorSystem.newTopic();
        system.jdbc().sql("""
                        INSERT INTO events (topic, event_id, ts, source, payload, received_at)
                        SELECT :topic, number, now(), 'test', '{}', now() FROM generate_series(1, 100000) AS number
                        """).param("topic", topic).update();
        try (Subscription subscription = Subscription.to(system.api(), "?after=0-0", null)) {
            int batches = 0;
            do {
                publish(topic + ".meanwhile" + batches, 1, 10);
                batches++;
            } while (subscription.count() < 100_000);
            system.awaitSettled();
            List<String> all = system.jdbc()
                    .sql("SELECT event_id FROM events ORDER BY arrival_xid, arrival_number")
                    .query((row, number) -> row.getString("event_id"))
                    .list();
            await(() -> subscription.count() >= all.size());
            awaitHeartbeats(subscription);
            assertThat(subscription.eventIds()).isEqualTo(all);
        }
    }

    @Test
    void givesWhatIsSettledAtOnce() throws Exception {
        String topic = AggregatorSystem.newTopic();
        try (Subscription subscription = Subscription.to(system.api(), "?topic=" + topic, null)) {
            long start = System.nanoTime();
            for (int i = 1; i <= 10; i++) {
                int number = i;
                system.publish(TestEvents.json(TestEvents.event(topic, "e" + number)));
                await(() -> subscription.count() == number);
            }
            // One after the other, each would come a second after the one before if nobody told that it was settled.
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        }
    }

    @Test
    void goesOnWhenPostgresIsBack() throws Exception {
        String topic = AggregatorSystem.newTopic();
        try (Subscription subscription = Subscription.to(system.api(), "?topic=" + topic, null)) {
            system.publish(TestEvents.json(TestEvents.event(topic, "before")));
            await(() -> subscription.count() == 1);
            system.postgres().kill();
            system.publish(TestEvents.json(TestEvents.event(topic, "meanwhile")));
            awaitHeartbeats(subscription);
            system.http().get("/events/stream?after=0-0").then().statusCode(503);
            system.postgres().start();
            await(() -> subscription.count() == 2);
            assertThat(subscription.eventIds()).containsExactly("before", "meanwhile");
        }
    }

    @Test
    void goesOnWhenRedisIsBack() throws Exception {
        String topic = AggregatorSystem.newTopic();
        try (Subscription subscription = Subscription.to(system.api(), "?topic=" + topic, null)) {
            system.publish(TestEvents.json(TestEvents.event(topic, "before")));
            await(() -> subscription.count() == 1);
            system.redisStore().kill();
            system.redisStore().start();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(20))
                    .until(() -> system.publish(TestEvents.json(TestEvents.event(topic, "after")))
                                    .statusCode()
                            == 200);
            await(() -> subscription.count() == 2);
            assertThat(subscription.eventIds()).containsExactly("before", "after");
        }
    }

    @Test
    void endsWithTheProcessAndBoundsHowManySubscribe() throws Exception {
        ServiceProcess api = system.startApi(LaunchOptions.defaults().withArguments("--api.subscribers.max=1"));
        try (Subscription subscription = Subscription.to(api.uri(), "", null)) {
            system.http()
                    .baseUri(api.uri().toString())
                    .get("/events/stream")
                    .then()
                    .statusCode(503)
                    .header("Retry-After", "1")
                    .contentType("application/problem+json")
                    .body("detail", containsString("api.subscribers.max"));
            long start = System.nanoTime();
            api.stop();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
            assertThat(subscription.endsWithin(Duration.ofSeconds(5))).isTrue();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"after=", "after=7", "after=a-b", "after=-1-1", "after=999999999999-1", "topic=", "topic=a%00b"})
    void refusesWhatIsNoPlaceAndNoTopic(String query) {
        system.http()
                .urlEncodingEnabled(false)
                .get("/events/stream?" + query)
                .then()
                .statusCode(422)
                .contentType("application/problem+json")
                .body("errors[0].field", equalTo(query.substring(0, query.indexOf('='))));
        system.http()
                .headers("Last-Event-ID", "x", "Accept", "text/event-stream")
                .get("/events/stream")
                .then()
                .statusCode(422)
                .contentType("application/problem+json")
                .body("errors[0].field", equalTo("Last-Event-ID"));
    }

    @Test
    void keepsAThousandSubscribersWithoutAThreadForEach() throws Exception {
        double threads = metric("jvm_threads_live_threads");
        String topic = AggregatorSystem.newTopic();
        List<Subscription> subscriptions = new ArrayList<>();
        try {
            for (int i = 0; i < 1_000; i++) {
                subscriptions.add(Subscription.to(system.api(), "?topic=" + topic, null));
            }
            assertThat(metric("aggregator_subscribers")).isEqualTo(1_000);
            assertThat(metric("jvm_threads_live_threads")).isLessThan(threads + 50);
            system.publish(TestEvents.json(TestEvents.event(topic, "for all")));
            for (Subscription subscription : subscriptions) {
                await(() -> subscription.count() == 1);
            }
        } finally {
            subscriptions.forEach(Subscription::close);
        }
    }

    private static double metric(String name) {
        return system.metrics(system.apis().getFirst())
                .lines()
                .filter(line -> line.startsWith(name))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(condition);
    }
}
