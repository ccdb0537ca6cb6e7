package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.both;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThanOrEqualTo;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.nullValue;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Outcome;
import io.github.logaggregator.model.PublishResponse;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import io.github.logaggregator.tests.LossyProxy.HeldReply;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code POST /publish?wait=…} answers with the outcome of each event, whatever breaks, or in time with what is known. */
@OwnSystem(apis = 0, workers = 0)
class WaitIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final String STORED = "stored";
    private static final String DUPLICATE = "duplicate";
    private static final String DEAD_LETTERED = "dead_lettered";
    private static final String QUEUED = "queued";

    private static AggregatorSystem system;
    private static ServiceProcess api;
    private static ServiceProcess worker;
    private static LossyProxy fromApiToRedis;
    private static LossyProxy fromWorkerToRedis;
    private static LossyProxy fromWorkerToPostgres;

    @BeforeAll
    static void startBehindProxies(AggregatorSystem own) {
        system = own;
        fromApiToRedis = new LossyProxy(system.redisStore());
        fromWorkerToRedis = new LossyProxy(system.redisStore());
        fromWorkerToPostgres = new LossyProxy(system.postgres());
        api = system.startApi(LaunchOptions.defaults().withArguments(fromApiToRedis.asRedis()));
        worker = system.startWorker(LaunchOptions.defaults()
                .withArguments(fromWorkerToRedis.asRedis())
                .withArguments(
                        fromWorkerToPostgres.asPostgres(), "--worker.lease=2s", "--worker.rescue-interval=200ms"));
    }

    @AfterEach
    void passEverythingOn() {
        worker.resume();
        proxies().forEach(LossyProxy::passOn);
        await(() -> system.redis().zcard(KEYS.claims()) + system.redis().llen(KEYS.queue()) == 0);
        assertThat(system.awaitSettled().unaccounted()).isZero();
    }

    @AfterAll
    static void closeProxies() {
        proxies().forEach(LossyProxy::close);
    }

    private static Stream<LossyProxy> proxies() {
        return Stream.of(fromApiToRedis, fromWorkerToRedis, fromWorkerToPostgres);
    }

    @Test
    void answersWithTheOutcomeOfEachEventInTheOrderSent() {
        String topic = AggregatorSystem.newTopic();
        String one = TestEvents.json(TestEvents.event(topic, "1"));
        publish(api, "true", one)
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body("status", equalTo("settled"))
                .body("event_id", equalTo("1"))
                .body("accepted", equalTo(1))
                .body("outcomes", contains(STORED));
        publish(api, "10s", one).then().statusCode(200).body("outcomes", contains(DUPLICATE));

        publish(api, "10000ms", json(topic, "2", "1", "3", "2", "2", "4"))
                .then()
                .statusCode(200)
                .body("status", equalTo("settled"))
                .body("event_id", nullValue())
                .body("accepted", equalTo(6))
                .body("outcomes", contains(STORED, DUPLICATE, STORED, DUPLICATE, DUPLICATE, STORED));
        assertThat(system.eventsOf(topic)).hasSize(4);
    }

    @Test
    void gathersTheOutcomesOfManyClaims() {
        String topic = AggregatorSystem.newTopic();
        publish(api, "30s", TestEvents.json(TestEvents.event(topic, "1234")));
        List<Event> events = new ArrayList<>(TestEvents.events(topic, 3_500));
        events.addAll(TestEvents.events(topic, 500));

        List<String> outcomes = outcomes(publish(api, "30s", TestEvents.json(events)));
        assertThat(outcomes).hasSize(4_000).containsOnly(STORED, DUPLICATE);
        assertThat(outcomes.get(1_234)).isEqualTo(DUPLICATE);
        assertThat(outcomes.subList(1_235, 3_500)).containsOnly(STORED);
        // Claims are settled at once, so that which of two is the first is not said.
        assertThat(Collections.frequency(outcomes, STORED)).isEqualTo(3_499);
        for (int i = 0; i < 500; i++) {
            assertThat(outcomes.get(i)).isNotEqualTo(outcomes.get(3_500 + i));
        }
    }

    @Test
    void asksNothingMoreOfTheStoresForThoseWhoDoNotWait() {
        publish(api, "30s", TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1")));
        List<@Nullable String> noted = notedClaims();
        List<String> replies = replies();
        long lastReply = system.redis().xlen(replies.getFirst());

        publish(api, "false", TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1")))
                .then()
                .statusCode(200)
                .body("status", equalTo(QUEUED))
                .body("outcomes", nullValue());
        system.awaitSettled();
        assertThat(notedClaims()).isSubsetOf(noted);
        assertThat(replies()).isEqualTo(replies);
        assertThat(system.redis().xlen(replies.getFirst())).isEqualTo(lastReply);
        assertThat(system.redis().pttl(replies.getFirst())).isBetween(1L, 120_000L);
    }

    @Test
    void answers202WithWhatIsKnownWhenTheTimeIsUpAndTheEventsAreStoredLater() throws SQLException {
        String topic = AggregatorSystem.newTopic();
        worker.pause();
        publish(api, "1s", TestEvents.json(TestEvents.event(topic, "first")))
                .then()
                .statusCode(202)
                .body("status", equalTo(QUEUED))
                .body("event_id", equalTo("first"))
                .body("outcomes", contains(QUEUED))
                .time(both(greaterThanOrEqualTo(1_000L)).and(lessThan(3_000L)), TimeUnit.MILLISECONDS);
        worker.resume();
        await(() -> system.eventsOf(topic).size() == 1);

        // A claim holds 1,000 of them; the last event waits for somebody who is about to store the same.
        try (Connection other = system.connect()) {
            other.setAutoCommit(false);
            other.createStatement()
                    .execute("INSERT INTO events (topic, event_id, ts, source, payload, received_at) VALUES ('" + topic
                            + "', '1099', now(), 'test', '{}', now())");
            Response response = publish(api, "3s", TestEvents.json(TestEvents.events(topic, 1_100)));
            response.then().statusCode(202).body("status", equalTo(QUEUED)).body("accepted", equalTo(1_100));
            assertThat(outcomes(response).subList(0, 1_000)).containsOnly(STORED);
            assertThat(outcomes(response).subList(1_000, 1_100)).containsOnly(QUEUED);
            other.rollback();
        }
        await(() -> system.allEvents("?topic=" + topic).size() == 1_101);
    }

    @Test
    @OwnSystem(workers = 0)
    void tellsDeadLetters(AggregatorSystem own) {
        for (String statement : List.of(
                "CREATE SCHEMA stricter",
                "CREATE DOMAIN stricter.jsonb AS pg_catalog.jsonb CONSTRAINT lucky CHECK (NOT jsonb_exists(VALUE, 'unlucky'))",
                "ALTER ROLE CURRENT_USER SET search_path = stricter, pg_catalog, public")) {
            own.jdbc().sql(statement).update();
        }
        ServiceProcess ofItsOwn = own.apis().getFirst();
        // As if the worker were older, and knew less of what an event may be.
        CompletableFuture<Response> unreadable =
                publishMeanwhile(ofItsOwn, TestEvents.json(TestEvents.event("t", "unreadable")));
        await(() -> own.redis().llen(KEYS.queue()) == 1);
        own.redis().lset(KEYS.queue(), 0, own.redis().lindex(KEYS.queue(), 0).replace("\"source\"", "\"sauce\""));
        List<Event> events = new ArrayList<>(TestEvents.events("t", 4));
        events.add(2, new Event("t", "1", Instant.EPOCH, "test", "{\"unlucky\":true}"));
        events.add(new Event("t", "3", Instant.EPOCH, "test", "{\"unlucky\":true}"));
        events.add(TestEvents.event("t", "0"));
        CompletableFuture<Response> refused = publishMeanwhile(ofItsOwn, TestEvents.json(events));
        await(() -> own.redis().llen(KEYS.queue()) == 2);

        own.startWorker();
        unreadable.join().then().statusCode(200).body("outcomes", contains(DEAD_LETTERED));
        assertThat(outcomes(refused.join()))
                .containsExactly(STORED, STORED, DEAD_LETTERED, STORED, STORED, DEAD_LETTERED, DUPLICATE);
        assertThat(own.awaitSettled()).isEqualTo(new Books(8, 4, 1, 3, 0, 0, 0));
    }

    @Test
    void isRightWhenTheWorkerDiesBetweenTheCommitAndTheReply() {
        String topic = AggregatorSystem.newTopic();
        HeldReply commit = fromWorkerToPostgres.holdReply(topic);
        CompletableFuture<Response> answer = publishMeanwhile(api, json(topic, "1", "2", "1"));
        commit.await();
        await(() -> system.eventsOf(topic).size() == 2);
        worker.kill();
        fromWorkerToPostgres.passOn();
        assertThat(answer).isNotDone();

        worker.start();
        answer.join().then().statusCode(200).body("outcomes", contains(STORED, STORED, DUPLICATE));
    }

    @Test
    void isToldAgainWhenTheWorkerDiesBetweenTheReplyAndTheAcknowledgement() throws IOException {
        String topic = AggregatorSystem.newTopic();
        HeldReply reply = fromWorkerToRedis.holdReply(system.redis().scriptLoad(script("reply")));
        publish(api, "60s", json(topic, "1", "2")).then().statusCode(200).body("outcomes", contains(STORED, STORED));
        reply.await();
        assertThat(system.redis().zcard(KEYS.claims())).isOne();
        worker.kill();
        fromWorkerToRedis.passOn();
        long told = system.redis().xlen(replies().getFirst());

        worker.start();
        await(() -> system.redis().zcard(KEYS.claims()) == 0);
        assertThat(system.redis().xlen(replies().getFirst())).isEqualTo(told + 1);
        // Nobody is confused by that.
        publish(api, "30s", json(topic, "3", "1")).then().statusCode(200).body("outcomes", contains(STORED, DUPLICATE));
    }

    @Test
    void losesNoReplyWhileTheConnectionOfTheApiIsBroken() {
        String topic = AggregatorSystem.newTopic();
        worker.pause();
        CompletableFuture<Response> answer = publishMeanwhile(api, json(topic, "1", "2"));
        await(() -> system.redis().llen(KEYS.queue()) == 1);
        fromApiToRedis.forgetConnections();
        worker.resume();
        answer.join().then().statusCode(200).body("outcomes", contains(STORED, STORED));
    }

    @Test
    void survivesARestartOfRedis() {
        String topic = AggregatorSystem.newTopic();
        worker.pause();
        CompletableFuture<Response> answer = publishMeanwhile(api, json(topic, "1", "2"));
        await(() -> system.redis().llen(KEYS.queue()) == 1);
        system.redisStore().kill();
        system.redisStore().start();
        system.redisStore().awaitReady();
        worker.resume();
        answer.join().then().statusCode(200).body("outcomes", contains(STORED, STORED));
    }

    @Test
    void eachApiGetsItsOwnRepliesAndThoseForNobodyExpire() {
        String topic = AggregatorSystem.newTopic();
        ServiceProcess second = system.startApi();
        ServiceProcess third = system.startApi();
        worker.pause();
        CompletableFuture<Response> first = publishMeanwhile(api, json(topic, "1", "2"));
        await(() -> system.redis().llen(KEYS.queue()) == 1);
        CompletableFuture<Response> toSecond = publishMeanwhile(second, json(topic, "2", "3", "4"));
        await(() -> system.redis().llen(KEYS.queue()) == 2);
        CompletableFuture<Response> unanswered = publishMeanwhile(third, json(topic, "5"));
        await(() -> system.redis().llen(KEYS.queue()) == 3);
        third.kill();
        assertThat(unanswered).failsWithin(20, TimeUnit.SECONDS);

        worker.resume();
        first.join().then().statusCode(200).body("outcomes", contains(STORED, STORED));
        toSecond.join().then().statusCode(200).body("outcomes", contains(DUPLICATE, STORED, STORED));
        await(() -> system.eventsOf(topic).size() == 5);
        await(() -> replies().size() >= 3);
        assertThat(replies())
                .allSatisfy(replies -> assertThat(system.redis().pttl(replies)).isBetween(1L, 120_000L));
        second.stop();
    }

    @Test
    void thousandsAtOnceCostNoThreadsAndNoPostgres() throws Exception {
        int requests = 2_000;
        ServiceProcess withoutPostgres = system.startApi(LaunchOptions.defaults()
                .withArguments(
                        "--spring.datasource.url=jdbc:postgresql://127.0.0.1:1/none",
                        // It will never know whether there are keys.
                        "--api.open-without-keys=true"));
        String topic = AggregatorSystem.newTopic();
        long before = received();
        worker.pause();
        List<CompletableFuture<HttpResponse<String>>> answers = new ArrayList<>();
        try (HttpClient http =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            for (int i = 0; i < requests; i++) {
                if (i % 100 == 0) { // as many connections as may wait for the server to accept them
                    long sent = i;
                    await(() -> received() >= before + sent);
                }
                answers.add(sendPatiently(
                        http,
                        HttpRequest.newBuilder(withoutPostgres.uri().resolve("/publish?wait=60s"))
                                .header("Content-Type", "application/json")
                                .POST(BodyPublishers.ofString(
                                        TestEvents.json(TestEvents.event(topic, Integer.toString(i)))))
                                .build(),
                        5));
            }
            await(() -> waiting(withoutPostgres) == requests);
            assertThat(threads(withoutPostgres)).isBetween(10, 100);

            worker.resume();
            for (CompletableFuture<HttpResponse<String>> answer : answers) {
                assertThat(answer.get(1, TimeUnit.MINUTES).statusCode()).isEqualTo(200);
                PublishResponse response =
                        TestEvents.JSON.readValue(answer.join().body(), PublishResponse.class);
                assertThat(response.outcomes()).singleElement().isIn(Outcome.STORED, Outcome.DUPLICATE);
            }
        }
        assertThat(system.jdbc()
                        .sql("SELECT count(*) FROM events WHERE topic = ?")
                        .param(topic)
                        .query(Integer.class)
                        .single())
                .isEqualTo(requests);
        await(() -> waiting(withoutPostgres) == 0);
        assertThat(system.metrics(withoutPostgres))
                .contains("aggregator_publish_wait_seconds_count{ended=\"settled\"} " + requests);
        withoutPostgres.stop();
    }

    /** Sends a request again that is refused since Redis took longer than a command may, as it does on a busy machine. */
    private static CompletableFuture<HttpResponse<String>> sendPatiently(
            HttpClient http, HttpRequest request, int attempts) {
        return http.sendAsync(request, BodyHandlers.ofString())
                .thenCompose(answer -> answer.statusCode() == 503 && attempts > 1
                        ? sendPatiently(http, request, attempts - 1)
                        : CompletableFuture.completedFuture(answer));
    }

    @Test
    void isBounded() {
        ServiceProcess small = system.startApi(LaunchOptions.defaults().withArguments("--api.max-waiting=2"));
        String topic = AggregatorSystem.newTopic();
        worker.pause();
        long before = received() + 2;
        CompletableFuture<Response> first = publishMeanwhile(small, json(topic, "1"));
        CompletableFuture<Response> second = publishMeanwhile(small, json(topic, "2"));
        await(() -> received() == before);
        assertThat(waiting(small)).isEqualTo(2);
        publish(small, "10s", json(topic, "3"))
                .then()
                .statusCode(503)
                .contentType("application/problem+json")
                .header("Retry-After", equalTo("1"))
                .body("detail", containsString("api.max-waiting"));
        assertThat(received()).isEqualTo(before);
        publish(small, "false", json(topic, "4")).then().statusCode(200);
        worker.resume();
        for (Response answer : List.of(first.join(), second.join())) {
            answer.then().statusCode(200).body("outcomes", contains(STORED));
        }
        // Whoever is refused takes no place.
        for (int i = 0; i < 5; i++) {
            publish(small, "10s", "{").then().statusCode(400);
        }
        publish(small, "10s", json(topic, "5")).then().statusCode(200).body("outcomes", contains(STORED));
        small.stop();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "yes", "-1s", "61s", "61000ms", "2m", "10 s", "10x", "1e1s", "99999999999999999999d"})
    void refusesTimesThatAreNone(String wait) {
        long before = received();
        publish(api, wait, TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1")))
                .then()
                .statusCode(422)
                .contentType("application/problem+json")
                .body("errors.field", contains("wait"))
                .body("errors.message", contains("must be true, false or a time such as 10s, at most 60s"));
        assertThat(received()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"wait=%zz", "wait=1s&wait=2s", "wait=%ff", "%zz=1"})
    void refusesQueriesThatCanNotBeRead(String query) throws IOException {
        try (Socket socket = send(query, TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1")))) {
            assertThat(new String(socket.getInputStream().readAllBytes(), UTF_8))
                    .matches("(?s)HTTP/1.1 4(00|22) .*")
                    .contains("application/problem+json");
        }
    }

    @Test
    void isAnsweredAtOnceByAnApiThatStops() {
        ServiceProcess stopping = system.startApi();
        String topic = AggregatorSystem.newTopic();
        worker.pause();
        List<CompletableFuture<Response>> answers = Stream.of("1", "2", "3")
                .map(id -> publishMeanwhile(stopping, json(topic, id)))
                .toList();
        await(() -> waiting(stopping) == 3);
        assertThat(stopping.stopGracefully()).as(stopping.logTail()).isTrue();
        for (CompletableFuture<Response> answer : answers) {
            answer.join().then().statusCode(202).body("outcomes", contains(QUEUED));
        }
        assertThat(stopping.log()).doesNotContain("WARN", "ERROR");
        worker.resume();
        await(() -> system.eventsOf(topic).size() == 3);
    }

    @Test
    void bearsAClientThatGoesAway() throws IOException {
        String topic = AggregatorSystem.newTopic();
        double before = waiting(api);
        String body = TestEvents.json(TestEvents.event(topic, "1"));
        worker.pause();
        try (Socket socket = send("wait=60s", body)) {
            await(() -> waiting(api) == before + 1);
            socket.setSoLinger(true, 0); // so that it is reset
        }
        worker.resume();
        await(() -> waiting(api) == before);
        assertThat(system.eventsOf(topic)).hasSize(1);
        publish(api, "30s", body).then().statusCode(200).body("outcomes", contains(DUPLICATE));
        assertThat(api.log()).doesNotContain("ERROR");
    }

    @Test
    void whatNobodyWaitsForAnyMoreIsForgotten() {
        publish(api, "30s", TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1")));
        @Nullable String recent = notedClaims().getLast();
        system.jdbc()
                .sql("INSERT INTO claim_outcomes VALUES (0, 1, 'long ago', '{stored}', now() - interval '61 s')")
                .update();
        await(() -> !notedClaims().contains("long ago:1"));
        assertThat(notedClaims()).contains(recent);
    }

    private static List<@Nullable String> notedClaims() {
        return system.jdbc()
                .sql("SELECT nonce || ':' || sequence FROM claim_outcomes ORDER BY settled_at")
                .query(String.class)
                .list();
    }

    private static List<String> replies() {
        return system.redis().keys(KEYS.replies("*")).stream().sorted().toList();
    }

    private static String json(String topic, String... ids) {
        return TestEvents.json(
                Stream.of(ids).map(id -> TestEvents.event(topic, id)).toList());
    }

    private static Response publish(ServiceProcess to, String wait, String json) {
        return RestAssured.given()
                .baseUri(to.uri().toString())
                .header("Content-Type", "application/json")
                .queryParam("wait", wait)
                .body(json.getBytes(UTF_8))
                .post("/publish");
    }

    /** Publishes with a query as it is, and leaves the answer on its way. */
    private static Socket send(String query, String json) throws IOException {
        Socket socket = new Socket(api.uri().getHost(), api.port());
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write(("POST /publish?" + query + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                + "Content-Type: application/json\r\nContent-Length: " + json.length() + "\r\n\r\n"
                                + json)
                        .getBytes(UTF_8));
        return socket;
    }

    /** Publishes and waits for as long as anybody may. */
    private static CompletableFuture<Response> publishMeanwhile(ServiceProcess to, String json) {
        return CompletableFuture.supplyAsync(() -> publish(to, "60s", json), Thread::startVirtualThread);
    }

    private static List<String> outcomes(Response response) {
        return response.jsonPath().getList("outcomes");
    }

    /** How many requests wait at an API, as it says. */
    private static double waiting(ServiceProcess at) {
        return system.metrics(at)
                .lines()
                .filter(line -> line.startsWith("aggregator_publish_waiting "))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static long received() {
        String received = system.redis().hget(KEYS.counters(), "received");
        return received == null ? 0 : Long.parseLong(received);
    }

    /** How many threads a process has, virtual ones included. */
    private static int threads(ServiceProcess of) throws IOException, InterruptedException {
        Path dump = Files.createTempFile("threads-", ".json");
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(of.pid()),
                        "Thread.dump_to_file",
                        "-overwrite",
                        "-format=json",
                        dump.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(jcmd.getInputStream().readAllBytes(), UTF_8);
        assertThat(jcmd.waitFor()).as(output).isZero();
        String threads = Files.readString(dump);
        Files.delete(dump);
        return threads.split("\"tid\":", -1).length - 1;
    }

    private static String script(String name) throws IOException {
        return Files.readString(AggregatorSystem.ROOT
                .resolve("aggregator-worker/src/main/resources/redis")
                .resolve(name + ".lua"));
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(condition);
    }
}
