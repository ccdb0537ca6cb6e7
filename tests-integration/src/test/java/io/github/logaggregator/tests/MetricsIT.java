package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The metrics of all processes together are what the books say, and there are never more of them, whatever is sent. */
class MetricsIT {
    private static final List<String> REASONS = List.of(
            "malformed",
            "cross_origin",
            "unauthorized",
            "forbidden",
            "not_found",
            "method_not_allowed",
            "not_acceptable",
            "timed_out",
            "too_large",
            "unsupported",
            "invalid",
            "queue_full",
            "unavailable",
            "failed");

    /** Duplicates within a claim and of an earlier one, some in conflict, and what PostgreSQL refuses. */
    @Test
    @OwnSystem(apis = 2, workers = 0)
    void sumUpToTheBooks(AggregatorSystem system) {
        for (String statement : List.of(
                "CREATE SCHEMA stricter",
                "CREATE DOMAIN stricter.jsonb AS pg_catalog.jsonb CONSTRAINT lucky CHECK (NOT jsonb_exists(VALUE, 'unlucky'))",
                "ALTER ROLE CURRENT_USER SET search_path = stricter, pg_catalog, public")) {
            system.jdbc().sql(statement).update();
        }
        Instant begin = Instant.now();
        List<Event> events = new ArrayList<>(TestEvents.events("t", 300));
        events.addAll(TestEvents.events("t", 50));
        events.add(new Event("t", "299", Instant.EPOCH, "another", "{}"));
        for (int i = 0; i < 7; i++) {
            events.add(new Event("u", "u" + i, Instant.EPOCH, "test", "{\"unlucky\":true}"));
        }
        publish(system, 0, events);
        publish(system, 1, TestEvents.events("v", 20));
        system.start(0, 2);
        system.awaitSettled();
        publish(system, 1, TestEvents.events("t", 100));
        Books books = system.awaitSettled();
        assertThat(books).isEqualTo(new Books(478, 320, 151, 1, 7, 0, 0, 0));

        Metrics apis = Metrics.of(system, system.apis());
        assertThat(apis.value("aggregator_events_received_total")).isEqualTo((double) books.received());
        assertThat(apis.value("aggregator_publish_seconds_count")).isEqualTo(3);
        Awaitility.await().atMost(20, TimeUnit.SECONDS).untilAsserted(() -> {
            // Each API tells the same of the whole system.
            Metrics told = Metrics.of(system, List.of(system.apis().getLast()));
            assertThat(told.of("aggregator_books"))
                    .containsExactlyInAnyOrderEntriesOf(Map.of(
                            "aggregator_books{account=\"received\"}", 478.0,
                            "aggregator_books{account=\"stored\"}", 320.0,
                            "aggregator_books{account=\"expired\"}", 0.0,
                            "aggregator_books{account=\"duplicates\"}", 151.0,
                            "aggregator_books{account=\"conflicting\"}", 1.0,
                            "aggregator_books{account=\"dead_lettered\"}", 7.0,
                            "aggregator_books{account=\"queued\"}", 0.0,
                            "aggregator_books{account=\"in_flight\"}", 0.0,
                            "aggregator_books{account=\"unaccounted\"}", 0.0));
            assertThat(told.sum("aggregator_topic_stored")).isEqualTo(320);
            assertThat(told.sum("aggregator_topic_duplicates")).isEqualTo(151);
            assertThat(told.value("aggregator_workers")).isEqualTo(2);
            assertThat(told.value("aggregator_queue_length")).isZero();
            assertThat(told.value("aggregator_queue_usage")).isZero();
            assertThat(told.value("aggregator_queue_rolled_back")).isZero();
        });

        // What a settlement counts comes a moment after it is committed.
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> Metrics.of(system, system.workers()).sum("aggregator_events_settled_total") == 478);
        Metrics workers = Metrics.of(system, system.workers());
        assertThat(workers.value("aggregator_events_settled_total{outcome=\"stored\"}"))
                .isEqualTo(320);
        assertThat(workers.value("aggregator_events_settled_total{outcome=\"duplicate\"}"))
                .isEqualTo(151);
        assertThat(workers.value("aggregator_events_settled_total{outcome=\"dead_lettered\"}"))
                .isEqualTo(7);
        assertThat(workers.value("aggregator_events_conflicting_total")).isEqualTo(1);
        assertThat(workers.value("aggregator_claims_rescued_total")).isZero();
        double claims = system.jdbc()
                .sql("SELECT count(*) FROM settled_claims")
                .query(Long.class)
                .single();
        assertThat(workers.value("aggregator_claim_events_count")).isEqualTo(claims);
        assertThat(workers.value("aggregator_claim_events_bucket{le=\"+Inf\"}")).isEqualTo(claims);
        assertThat(workers.value("aggregator_claim_events_sum")).isEqualTo(478);
        assertThat(workers.value("aggregator_event_latency_seconds_count")).isEqualTo(320);
        assertThat(workers.value("aggregator_event_latency_seconds_bucket{le=\"+Inf\"}"))
                .isEqualTo(320);
        assertThat(workers.value("aggregator_event_latency_seconds_sum"))
                .isBetween(
                        0.02 * 320,
                        320.0 * Duration.between(begin, Instant.now()).toSeconds());
    }

    private static void publish(AggregatorSystem system, int api, List<Event> events) {
        system.http()
                .baseUri(system.apis().get(api).uri().toString())
                .header("Content-Type", "application/json")
                .body(TestEvents.json(events))
                .post("/publish")
                .then()
                .statusCode(200);
    }

    /** A claim that its worker died with. */
    @Test
    @OwnSystem(workers = 0)
    void countWhatWasTakenOver(AggregatorSystem system) throws Exception {
        LaunchOptions shortLease =
                LaunchOptions.defaults().withArguments("--worker.lease=1s", "--worker.rescue-interval=100ms");
        ServiceProcess dies = system.startWorker(shortLease);
        try (var lock = system.lockEvents()) {
            system.publish(TestEvents.json(TestEvents.events("t", 10)));
            Awaitility.await().atMost(20, TimeUnit.SECONDS).until(system::hasWaitingTransactions);
            dies.kill();
            lock.rollback();
        }
        ServiceProcess other = system.startWorker(shortLease);
        system.awaitSettled();
        Metrics metrics = Metrics.of(system, List.of(other));
        assertThat(metrics.value("aggregator_claims_rescued_total")).isEqualTo(1);
    }

    /** What is wrong with a request, and what counts it. */
    private record Refused(String counter, String reason, Consumer<AggregatorSystem> request) {
        static Refused publish(String reason, Consumer<AggregatorSystem> request) {
            return new Refused("aggregator_events_rejected_total", reason, request);
        }

        static Refused other(String reason, Consumer<AggregatorSystem> request) {
            return new Refused("aggregator_requests_rejected_total", reason, request);
        }

        String series() {
            return counter + "{reason=\"" + reason + "\"}";
        }
    }

    @Test
    @OwnSystem(apis = 0, workers = 0)
    void countEachRefusedRequestByReasonWhoeverRefusesIt(AggregatorSystem system) {
        system.startApi(LaunchOptions.defaults()
                .withArguments("--api.queue.max-events=10", "--server.tomcat.connection-timeout=1s"));
        String event = TestEvents.json(TestEvents.event("t", "1"));
        String eight = TestEvents.json(TestEvents.events("t", 8));
        system.publish(eight).then().statusCode(200);
        List<Refused> requests = List.of(
                Refused.publish("malformed", s -> s.publish("{")),
                Refused.publish("malformed", s -> raw(s, "POST /publish?wait=%zz HTTP/1.1", "Content-Length: 0")),
                Refused.publish("malformed", s -> raw(s, "POST /publish HTTP/1.1", "Content-Length: five")),
                Refused.publish("invalid", s -> s.publish("{}")),
                Refused.publish(
                        "invalid", s -> s.http().queryParam("wait", "for ever").post("/publish")),
                Refused.publish("too_large", s -> s.publish(" ".repeat(9_000_000))),
                Refused.publish("too_large", s -> s.publish(TestEvents.json(TestEvents.events("t", 11)))),
                Refused.publish("queue_full", s -> s.publish(eight)),
                Refused.publish(
                        "unsupported",
                        s -> s.http()
                                .body(event)
                                .config(asText())
                                .contentType("text/plain")
                                .post("/publish")),
                Refused.publish("unsupported", s -> raw(s, "POST /publish HTTP/1.1", "Transfer-Encoding: none")),
                Refused.publish("method_not_allowed", s -> s.http().get("/publish")),
                Refused.publish(
                        "not_acceptable",
                        s -> s.http()
                                .accept("text/html")
                                .body(event)
                                .contentType("application/json")
                                .post("/publish")),
                Refused.publish("timed_out", MetricsIT::stopInTheMiddle),
                Refused.publish(
                        "cross_origin",
                        s -> s.http()
                                .header("Sec-Fetch-Site", "cross-site")
                                .body(event)
                                .contentType("application/json")
                                .post("/publish")),
                Refused.other(
                        "cross_origin",
                        s -> s.http()
                                .header("Origin", "http://attacker.example")
                                .post("/dead-letters/replay")),
                Refused.other(
                        "unsupported",
                        s -> s.http()
                                .contentType("application/x-www-form-urlencoded")
                                .post("/dead-letters/replay")),
                Refused.other("malformed", s -> raw(s, "GET /a b HTTP/1.1")),
                Refused.other("malformed", s -> raw(s, "GET /events HTTP/1.1", "Host: a")),
                Refused.other("invalid", s -> s.http().get("/events?limit=none")),
                Refused.other("invalid", s -> s.http().get("/events?limt=1")),
                Refused.other("not_found", s -> s.http().get("/nothing")),
                Refused.other("not_found", s -> s.http().get("/events/t/none")),
                Refused.other("method_not_allowed", s -> s.http().delete("/events")),
                Refused.other(
                        "not_acceptable", s -> s.http().accept("text/html").get("/events")),
                Refused.other("unsupported", s -> raw(s, "GET /stats HTTP/3.0")));
        requests.forEach(request -> assertCounts(system, request));

        system.redisStore().stop();
        assertCounts(system, Refused.publish("unavailable", s -> s.publish(event)));
        assertCounts(system, Refused.other("unavailable", s -> {
            s.http().get("/readyz").then().statusCode(503);
            s.http().get("/stats");
        }));
        assertThat(refused(system).keySet()).containsExactlyInAnyOrderElementsOf(everyReason());
    }

    private static void assertCounts(AggregatorSystem system, Refused refused) {
        Map<String, Double> expected = new HashMap<>(refused(system));
        expected.merge(refused.series(), 1.0, Double::sum);
        refused.request().accept(system);
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .untilAsserted(
                        () -> assertThat(refused(system)).as(refused.series()).isEqualTo(expected));
    }

    private static Map<String, Double> refused(AggregatorSystem system) {
        Metrics metrics = Metrics.of(system, system.apis());
        Map<String, Double> refused = new HashMap<>(metrics.of("aggregator_events_rejected_total"));
        refused.putAll(metrics.of("aggregator_requests_rejected_total"));
        return refused;
    }

    private static Set<String> everyReason() {
        Set<String> series = new HashSet<>();
        for (String reason : REASONS) {
            series.add("aggregator_events_rejected_total{reason=\"" + reason + "\"}");
            series.add("aggregator_requests_rejected_total{reason=\"" + reason + "\"}");
        }
        return series;
    }

    private static void raw(AggregatorSystem system, String... head) {
        RawHttp.exchange(system.api(), RawHttp.request(new byte[0], head)).assertProblem();
    }

    private static RestAssuredConfig asText() {
        return RestAssuredConfig.config()
                .encoderConfig(EncoderConfig.encoderConfig().encodeContentTypeAs("text/plain", ContentType.TEXT));
    }

    private static void stopInTheMiddle(AggregatorSystem system) {
        try (Socket socket = new Socket(system.api().getHost(), system.api().getPort())) {
            socket.setSoTimeout(20_000);
            socket.getOutputStream()
                    .write(
                            "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
                                    .getBytes(US_ASCII));
            assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII))
                    .startsWith("HTTP/1.1 408 ");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    @OwnSystem
    void areNotMoreForFiveHundredTopicsAndAThousandHostileRequests(AggregatorSystem system) {
        long seed = System.nanoTime();
        publishTopics(system, 60);
        // Reads and refusals of every kind that make series, such as those of the JVM's memory pools, have been there
        // once.
        sendHostile(system, new SplittableRandom(seed), 50);
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> topics(system).size() == 2 * 51);
        Map<String, Double> apiBefore = Metrics.of(system, system.apis()).values();
        Map<String, Double> workerBefore = Metrics.of(system, system.workers()).values();
        Set<String> before = ownSeries(system);

        publishTopics(system, 500);
        sendHostile(system, new SplittableRandom(seed + 1), 1_000);
        system.awaitSettled();
        double all = system.stats().books().stored();
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .untilAsserted(
                        () -> assertThat(Metrics.of(system, system.apis()).sum("aggregator_topic_stored"))
                                .isEqualTo(all));
        assertThat(topics(system)).hasSize(2 * 51);
        assertThat(ownSeries(system)).as("seed %s", seed).isEqualTo(before);
        // The JVM's own may be more by a few: a kind of garbage collection that has not been there before.
        assertThat(Metrics.of(system, system.apis()).values()).hasSizeLessThan(apiBefore.size() + 20);
        assertThat(Metrics.of(system, system.workers()).values()).hasSizeLessThan(workerBefore.size() + 20);
        assertThat(apiBefore).hasSizeLessThan(600);
        assertThat(workerBefore).hasSizeLessThan(600);
    }

    /** Without those of topics, which are others, if not more. */
    private static Set<String> ownSeries(AggregatorSystem system) {
        Set<String> own = new HashSet<>(
                Metrics.of(system, system.apis()).of("aggregator_").keySet());
        own.addAll(Metrics.of(system, system.workers()).of("aggregator_").keySet());
        own.removeAll(topics(system));
        return own;
    }

    private static Set<String> topics(AggregatorSystem system) {
        return new HashSet<>(
                Metrics.of(system, system.apis()).of("aggregator_topic_").keySet());
    }

    /** Topics with names that mean something to those who read metrics, and twice as many events as before in some. */
    private static void publishTopics(AggregatorSystem system, int topics) {
        List<Event> events = IntStream.range(0, 2 * topics)
                .mapToObj(i -> TestEvents.event("to\"pic{a=\\" + i % topics + "}\u00e9", topics + "/" + i))
                .toList();
        system.publish(TestEvents.json(events)).then().statusCode(200);
    }

    private static void sendHostile(AggregatorSystem system, SplittableRandom random, int requests) {
        for (int i = 0; i < requests; i++) {
            String text = "x" + Long.toUnsignedString(random.nextLong(), 36);
            String target = random.nextBoolean() ? "/publish" : "/" + text + "?" + text + "=" + text;
            String method = random.nextBoolean() ? "POST" : text.toUpperCase(Locale.ROOT);
            RawHttp.exchange(
                    system.api(),
                    RawHttp.request(
                            text.getBytes(US_ASCII),
                            method + " " + target + " HTTP/1.1",
                            "Content-Type: application/" + (random.nextBoolean() ? "json" : text),
                            text + ": " + text,
                            "User-Agent: " + text,
                            "traceparent: " + text,
                            "Content-Length: " + text.length()));
        }
    }
}
