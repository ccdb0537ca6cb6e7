package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasItem;
import static org.hamcrest.Matchers.startsWith;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.QueueKeys;
import io.restassured.RestAssured;
import io.restassured.http.Method;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** Who has a key, and for what it is: each endpoint by each kind of caller, and nobody's key in a log. */
@OwnSystem(apis = 0, workers = 1)
@TestMethodOrder(OrderAnnotation.class)
class KeysIT {
    /** Within which a key that was made is taken everywhere, and one that was revoked nowhere. */
    private static final Duration KNOWN_WITHIN = Duration.ofSeconds(10);

    /** All that could be tempted to show a header. */
    private static final LaunchOptions TALKATIVE = LaunchOptions.defaults()
            .withArguments(
                    "--logging.level.io.github.logaggregator=trace",
                    "--logging.level.org.springframework.security=trace",
                    "--logging.level.org.springframework.web=debug",
                    "--api.subscribers.heartbeat=1s");

    private static final Pattern REFUSED =
            Pattern.compile("aggregator_(events|requests)_rejected_total\\{reason=\"(\\w+)\"} (.*)");

    private static AggregatorSystem system;
    private static Keys keys;

    private static String publisher;
    private static String reader;
    private static String auditor;
    private static String operator;
    private static String stranger;
    private static String expired;
    private static String revoked;
    private static String writer;

    @BeforeAll
    static void makeKeys(AggregatorSystem own) {
        system = own;
        keys = new Keys(system);
        // Before any service has made the table.
        publisher = keys.create("publisher", "publish", "orders.*");
        reader = keys.create("reader", "read", "orders.*");
        auditor = keys.create("auditor", "read", "*");
        operator = keys.create("operator", "admin", "*");
        stranger = keys.create("stranger", "publish,read,admin", "sales.*,a_b*");
        expired = keys.create("expired", "publish,read,admin", "*", "--expires=1s");
        revoked = keys.create("revoked", "publish,read,admin", "*");
        keys.revoke("revoked");
        writer = keys.create("writer", "publish", "*");
        system.startApi(TALKATIVE);
        system.startApi(TALKATIVE);
        Awaitility.await().until(() -> as(expired).get("/stats").statusCode() == 401);
        publish(publisher, "orders.1").then().statusCode(200);
        publish(stranger, "sales.1").then().statusCode(200);
        publish(stranger, "a_b1").then().statusCode(200);
        Awaitility.await()
                .until(() -> system.jdbc()
                                .sql("SELECT count(*) FROM events")
                                .query(Long.class)
                                .single()
                        == 3);
    }

    @AfterAll
    static void noLogHasAKey() {
        assertThat(keys.made()).hasSizeGreaterThan(7);
        for (ServiceProcess service :
                Stream.concat(system.apis().stream(), system.workers().stream()).toList()) {
            assertThat(service.log())
                    .isNotEmpty()
                    .doesNotContain("agg_")
                    .doesNotContain(keys.made().stream()
                            .map(key -> key.substring("agg_".length()))
                            .toArray(String[]::new));
        }
        assertThat(system.postgres().logTail()).doesNotContain("agg_");
        // What is stored is no key either.
        assertThat(system.jdbc()
                        .sql("SELECT string_agg(api_keys::text, ' ') FROM api_keys")
                        .query(String.class)
                        .single())
                .doesNotContain(keys.made().stream()
                        .map(key -> key.substring("agg_".length()))
                        .toArray(String[]::new));
    }

    private static RequestSpecification as(@Nullable String key) {
        return as(key, system.apis().getFirst());
    }

    private static RequestSpecification as(@Nullable String key, ServiceProcess api) {
        RequestSpecification request =
                RestAssured.given().baseUri(api.uri().toString()).urlEncodingEnabled(false);
        return key == null ? request : request.header("Authorization", "Bearer " + key);
    }

    private static Response publish(@Nullable String key, String topic) {
        return publish(key, topic, system.apis().getFirst());
    }

    private static Response publish(@Nullable String key, String topic, ServiceProcess api) {
        return as(key, api)
                .contentType("application/json")
                .body(TestEvents.json(TestEvents.event(topic, "1")))
                .post("/publish");
    }

    /** An endpoint, what its right caller gets, and what one does whose key is for other topics. */
    record Endpoint(Method method, String template, String path, String right, int rightStatus, int strangerStatus) {
        Response ask(RequestSpecification caller) {
            return path.equals("/publish")
                    ? caller.contentType("application/json")
                            .body(TestEvents.json(TestEvents.event("orders.1", "1")))
                            .post(path)
                    : caller.noContentType().request(method, path);
        }

        @Override
        public String toString() {
            return method + " " + path;
        }
    }

    /** Of {@code read} it takes one for all topics where none can be named. */
    private static List<Endpoint> endpoints() {
        return List.of(
                new Endpoint(Method.POST, "/publish", "/publish", publisher, 200, 403),
                new Endpoint(Method.GET, "/events", "/events?topic=orders.1&topic=orders.2", reader, 200, 403),
                new Endpoint(Method.GET, "/events.ndjson", "/events.ndjson?topic=orders.1", reader, 200, 403),
                new Endpoint(Method.GET, "/events/{topic}/{event_id}", "/events/orders.1/1", reader, 200, 403),
                new Endpoint(Method.GET, "/topics", "/topics", reader, 200, 200),
                new Endpoint(
                        Method.GET,
                        "/events/{topic}/{event_id}/conflicts",
                        "/events/orders.1/1/conflicts",
                        reader,
                        200,
                        403),
                new Endpoint(
                        Method.GET,
                        "/events/conflicts",
                        "/events/conflicts?topic=orders.1&event_id=1",
                        reader,
                        200,
                        403),
                new Endpoint(Method.HEAD, "/events/stream", "/events/stream?topic=orders.1", reader, 200, 403),
                new Endpoint(Method.GET, "/dead-letters", "/dead-letters", auditor, 200, 403),
                new Endpoint(Method.POST, "/dead-letters/{id}/replay", "/dead-letters/1/replay", operator, 404, 403),
                new Endpoint(Method.POST, "/dead-letters/replay", "/dead-letters/replay", operator, 202, 403),
                new Endpoint(Method.GET, "/stats", "/stats", auditor, 200, 403),
                new Endpoint(Method.HEAD, "/live", "/live?topic=orders.1", auditor, 200, 403),
                new Endpoint(Method.GET, "/actuator/prometheus", "/actuator/prometheus", auditor, 200, 403),
                // What is not there is told to those alone who may everything.
                new Endpoint(Method.GET, "/nothing", "/nothing", operator, 404, 403),
                new Endpoint(Method.GET, "/actuator", "/actuator", operator, 200, 403));
    }

    /** Who asks. */
    enum Caller {
        WITHOUT_KEY,
        WITH_A_WRONG_KEY,
        WITH_AN_EXPIRED_KEY,
        WITH_A_REVOKED_KEY,
        OF_ANOTHER_SCOPE,
        OF_ANOTHER_TOPIC,
        RIGHT;

        @Nullable
        String key(Endpoint endpoint) {
            return switch (this) {
                case WITHOUT_KEY -> null;
                case WITH_A_WRONG_KEY ->
                    publisher.substring(0, publisher.length() - 1) + (publisher.endsWith("0") ? "1" : "0");
                case WITH_AN_EXPIRED_KEY -> expired;
                case WITH_A_REVOKED_KEY -> revoked;
                case OF_ANOTHER_SCOPE -> endpoint.right().equals(publisher) ? auditor : writer;
                case OF_ANOTHER_TOPIC -> stranger;
                case RIGHT -> endpoint.right();
            };
        }

        int status(Endpoint endpoint) {
            return switch (this) {
                case WITHOUT_KEY, WITH_A_WRONG_KEY, WITH_AN_EXPIRED_KEY, WITH_A_REVOKED_KEY -> 401;
                case OF_ANOTHER_SCOPE -> 403;
                case OF_ANOTHER_TOPIC -> endpoint.strangerStatus();
                case RIGHT -> endpoint.rightStatus();
            };
        }
    }

    static Stream<Arguments> table() {
        return endpoints().stream()
                .flatMap(endpoint -> Arrays.stream(Caller.values()).map(caller -> Arguments.of(endpoint, caller)));
    }

    @ParameterizedTest
    @MethodSource("table")
    @Order(1)
    void eachEndpointIsForWhoHasTheKeyForIt(Endpoint endpoint, Caller caller) {
        Response response = endpoint.ask(as(caller.key(endpoint)));
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(caller.status(endpoint));
        if (response.statusCode() == 401 || response.statusCode() == 403) {
            response.then().contentType("application/problem+json");
            if (endpoint.method() != Method.HEAD) {
                response.then()
                        .body("status", equalTo(response.statusCode()))
                        .body("instance", equalTo(endpoint.path().replaceFirst("\\?.*", "")))
                        .body("detail", containsString(caller == Caller.OF_ANOTHER_SCOPE ? "the scope" : "key"));
            }
        }
        assertThat(response.header("WWW-Authenticate"))
                .isEqualTo(
                        switch (caller.status(endpoint)) {
                            case 401 ->
                                caller == Caller.WITHOUT_KEY
                                        ? "Bearer realm=\"aggregator\""
                                        : "Bearer realm=\"aggregator\", error=\"invalid_token\"";
                            default -> null;
                        });
        // As everything that is answered, but to a publish.
        if (!endpoint.path().equals("/publish")) {
            assertThat(response.header("Content-Security-Policy")).contains("default-src 'none'");
            assertThat(response.headers().getValues("X-Content-Type-Options")).containsExactly("nosniff");
        }
        assertThat(response.header("X-Frame-Options")).isNull();
        assertThat(response.header("Set-Cookie")).isNull();
    }

    @Test
    @Order(1)
    void theTableHasEachOperationOfTheDescription() {
        JsonNode paths =
                TestEvents.tree(as(null).get("/v3/api-docs").asString()).get("paths");
        Set<String> described = new HashSet<>();
        paths.propertyNames()
                .forEach(path -> paths.get(path).propertyNames().forEach(method -> {
                    if (!Set.of("/livez", "/readyz").contains(path)) {
                        described.add(path);
                        Set<String> answers = new HashSet<>(
                                paths.get(path).get(method).get("responses").propertyNames());
                        assertThat(answers).as(path).contains("401", "403", "503");
                    }
                }));
        Set<String> tested =
                new HashSet<>(endpoints().stream().map(Endpoint::template).toList());
        tested.removeAll(Set.of("/nothing", "/actuator"));
        assertThat(tested).isEqualTo(described);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/index.html",
                "/page.css",
                "/js/page.js",
                "/webjars/uplot/dist/uPlot.esm.js",
                "/docs",
                "/swagger-ui/index.html",
                "/v3/api-docs",
                "/v3/api-docs/swagger-config",
                "/livez",
                "/readyz",
                "/actuator/health/readiness",
                "/actuator/health/liveness"
            })
    @Order(1)
    void whatTellsNothingOfEventsIsForEverybody(String path) {
        as(null).get(path).then().statusCode(200);
        as(revoked).get(path).then().statusCode(200);
    }

    /** No way of writing a path leads past the keys. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/stats",
                "//stats",
                "/stats/",
                "/stats;",
                "/stats;a=b",
                "/;/stats",
                "/;a=b/stats",
                "/./stats",
                "/js/../stats",
                "/js/..;/stats",
                "/js/..%2fstats",
                "/js/%2e%2e/stats",
                "/webjars/..%5cstats",
                "/v3/api-docs/../../stats",
                "/docs/../stats",
                "/actuator/health/../prometheus",
                "/actuator/health/..;/prometheus",
                "/actuator/health/..%2fprometheus",
                "/%73tats",
                "/stats%20",
                "/stats?/js/x",
                "/stats#/js/x",
                "/index.html/../stats",
                "/publish/../stats",
                "http://x/stats"
            })
    @Order(1)
    void noPathLeadsAround(String path) {
        for (String method : List.of("GET", "HEAD", "POST")) {
            RawHttp.Answer answer = RawHttp.exchange(
                    system.api(), RawHttp.request(new byte[0], method + " " + path + " HTTP/1.1", "Content-Length: 0"));
            assertThat(answer.status()).as("%s: %s", method, answer).isBetween(400, 499);
        }
    }

    @Test
    @Order(1)
    void aKeyIsTakenFromEitherHeader() {
        as(null).header("X-API-Key", auditor).get("/stats").then().statusCode(200);
        as(null).header("X-API-Key", revoked).get("/stats").then().statusCode(401);
        as(null).header("Authorization", "bearer   " + auditor + " ")
                .get("/stats")
                .then()
                .statusCode(200);
        // As a proxy adds it.
        as(null).header("Authorization", "Basic dTpw")
                .header("X-API-Key", auditor)
                .get("/stats")
                .then()
                .statusCode(200);
        for (String header : List.of("Bearer", "Bearer ", "Basic " + auditor, auditor, "Bearer " + auditor + ", x")) {
            as(null).header("Authorization", header).get("/stats").then().statusCode(401);
        }
    }

    static List<Arguments> formsWithAForbiddenTopic() {
        String allowed = TestEvents.json(TestEvents.event("orders.batch", "1"));
        String forbidden = TestEvents.json(TestEvents.event("sales.batch", "1"));
        String cloudEvent = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"%s\",\"data\":{}}";
        return List.of(
                Arguments.of("application/json", "[" + allowed + "," + forbidden + "]", 1),
                Arguments.of("application/json", "{\"events\":[" + allowed + "," + forbidden + "]}", 1),
                Arguments.of("application/json", forbidden, 0),
                Arguments.of("application/x-ndjson", allowed + "\n" + forbidden, 1),
                Arguments.of("application/cloudevents+json", cloudEvent.formatted("sales.batch"), 0),
                Arguments.of(
                        "application/cloudevents-batch+json",
                        "[" + cloudEvent.formatted("orders.batch") + "," + cloudEvent.formatted("sales.batch") + "]",
                        1));
    }

    @ParameterizedTest
    @MethodSource("formsWithAForbiddenTopic")
    @Order(1)
    void aBatchWithOneForbiddenTopicIsRefusedWhole(String contentType, String body, int index) {
        String before = received();
        for (String query : List.of("", "?wait=5s")) {
            RawHttp.Answer answer = RawHttp.exchange(
                    system.api(),
                    RawHttp.request(
                            body.getBytes(UTF_8),
                            "POST /publish" + query + " HTTP/1.1",
                            "Authorization: Bearer " + publisher,
                            "Content-Type: " + contentType,
                            "Content-Length: " + body.getBytes(UTF_8).length));
            assertThat(answer.assertProblem().status()).as(answer.body()).isEqualTo(403);
            JsonNode problem = TestEvents.tree(answer.body());
            assertThat(problem.get("detail").stringValue())
                    .isEqualTo("The key is for the topics orders.* only. Nothing was taken.");
            assertThat(problem.get("errors")).hasSize(1);
            assertThat(problem.at("/errors/0/index").intValue()).isEqualTo(index);
            assertThat(problem.at("/errors/0/field").stringValue()).isEqualTo("topic");
        }
        assertThat(received()).isEqualTo(before);
    }

    private static String received() {
        return Objects.requireNonNull(system.redis().hget(QueueKeys.FIRST.counters(), "received"));
    }

    @Test
    @Order(1)
    void whoReadsNamesTopicsOfHisOwn() {
        for (String path : List.of("/events", "/events.ndjson", "/events/stream", "/events?source=test")) {
            as(reader).get(path).then().statusCode(403).body("detail", containsString("orders.*"));
        }
        as(reader).get("/events?topic=orders.1&topic=sales.1").then().statusCode(403);
        as(reader).get("/events/sales.1/1").then().statusCode(403);
        as(reader).get("/events/sales%2E1/1").then().statusCode(403);
        for (String undecodable : List.of("%zz", "%ff", "%")) {
            RawHttp.Answer answer = RawHttp.exchange(
                    system.api(),
                    RawHttp.request(
                            new byte[0],
                            "GET /events?topic=" + undecodable + " HTTP/1.1",
                            "Authorization: Bearer " + reader));
            assertThat(answer.assertProblem().status()).isEqualTo(400);
        }
        as(auditor).get("/events").then().statusCode(200).body("topic", hasItem("sales.1"));
    }

    @Test
    @Order(1)
    void whoMayReadSomeTopicsIsShownNoOthers() {
        as(reader).get("/topics?limit=1").then().statusCode(200).body("topic", contains("orders.1"));
        assertThat(as(reader).get("/topics?limit=1").header("Link")).isNull();
        // In a pattern nothing but * stands for another character.
        publish(keyFor("axb*"), "axb1").then().statusCode(200);
        Awaitility.await().until(() -> as(auditor).get("/events/axb1/1").statusCode() == 200);
        as(stranger).get("/topics").then().statusCode(200).body("topic", contains("a_b1", "sales.1"));
    }

    private static String keyFor(String topics) {
        String key = keys.create("for " + topics, "publish", topics);
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> system.apis().stream()
                        .allMatch(api -> as(key, api).get("/stats").statusCode() == 403));
        return key;
    }

    @Test
    @Order(1)
    void refusalsAreCountedByTheirReasons() {
        Map<String, Double> before = refused();
        publish(null, "orders.1").then().statusCode(401);
        publish(reader, "orders.1").then().statusCode(403);
        publish(publisher, "sales.1").then().statusCode(403);
        as(null).get("/stats").then().statusCode(401);
        as(reader).get("/stats").then().statusCode(403);
        Awaitility.await().untilAsserted(() -> {
            Map<String, Double> expected = new TreeMap<>(before);
            expected.merge("events unauthorized", 1.0, Double::sum);
            expected.merge("events forbidden", 2.0, Double::sum);
            expected.merge("requests unauthorized", 1.0, Double::sum);
            expected.merge("requests forbidden", 1.0, Double::sum);
            assertThat(refused()).isEqualTo(expected);
        });
    }

    private static Map<String, Double> refused() {
        Map<String, Double> refused = new TreeMap<>();
        as(auditor).get("/actuator/prometheus").asString().lines().forEach(line -> {
            Matcher matcher = REFUSED.matcher(line);
            if (matcher.matches()) {
                refused.put(matcher.group(1) + " " + matcher.group(2), Double.parseDouble(matcher.group(3)));
            }
        });
        return refused;
    }

    @Test
    @Order(1)
    void aKeyIsReplacedWhileTheOneBeforeIsStillInUse() {
        String old = keys.create("rotated", "read", "*");
        String replacement = keys.create("rotated", "read", "*", "--expires=90d");
        assertThat(replacement).isNotEqualTo(old);
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> Stream.of(old, replacement)
                        .allMatch(key -> as(key).get("/stats").statusCode() == 200));
        Keys.Run third = keys.run("create", "--name=rotated", "--scopes=read", "--topics=*");
        assertThat(third.status()).isEqualTo(1);
        assertThat(third.output()).isEmpty();
        assertThat(third.errors()).contains("There are 2 valid keys of the name rotated already");

        String id = keys.run("list")
                .output()
                .lines()
                .filter(line -> line.contains(" rotated "))
                .findFirst()
                .orElseThrow()
                .replaceFirst(" .*", "");
        assertThat(keys.run("revoke", "--id=" + id).status()).isZero();
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> as(old).get("/stats").statusCode() == 401);
        as(replacement).get("/stats").then().statusCode(200);
        assertThat(keys.run("revoke", "--id=" + id).status()).isEqualTo(1);
    }

    @Test
    @Order(1)
    void theCommandTellsWhatKeysThereAreAndWhatItDoesNotUnderstand() {
        Keys.Run list = keys.run("list");
        assertThat(list.status()).isZero();
        assertThat(list.output())
                .containsPattern("(?m)^ID +NAME +STATE +CREATED +EXPIRES +SCOPES +TOPICS$")
                .containsPattern("(?m)^1 +publisher +valid +\\S+Z +never +publish +orders\\.\\*$")
                .containsPattern("(?m)^6 +expired +expired +\\S+Z +\\S+Z +publish,read,admin +\\*$")
                .containsPattern("(?m)^7 +revoked +revoked +")
                .doesNotContain("agg_");
        for (String[] wrong : new String[][] {
            {},
            {"delete"},
            {"list", "--all"},
            {"create"},
            {"create", "--name=x", "--scopes=read"},
            {"create", "--name=x", "--scopes=write", "--topics=*"},
            {"create", "--name=", "--scopes=read", "--topics=*"},
            {"create", "--name=x", "--scopes=read", "--topics=*", "--expires=yesterday"},
            {"create", "--name=x", "--scopes=read", "--topics=*", "--expires=2020-01-01T00:00:00Z"},
            {"create", "--name=x", "--scopes=read", "--topics=*", "--exprise=90d"},
            {"revoke"},
            {"revoke", "--id=x"},
            {"revoke", "--id=1", "--name=x"}
        }) {
            Keys.Run run = keys.run(wrong);
            assertThat(run.status()).as(String.join(" ", wrong)).isEqualTo(2);
            assertThat(run.output()).isEmpty();
            assertThat(run.errors()).isNotBlank().doesNotContain("Exception");
        }
        assertThat(keys.run("list").output()).isEqualTo(list.output());
    }

    /** Also by an API that it does not ask, and on a stream that was there before. */
    @Test
    @Order(2)
    void aRevokedKeyIsRefusedEverywhereWithinTenSeconds() throws InterruptedException {
        String key = keys.create("revoked later", "publish,read", "orders.*");
        for (ServiceProcess api : system.apis()) {
            Awaitility.await()
                    .atMost(KNOWN_WITHIN)
                    .until(() -> publish(key, "orders.revoked", api).statusCode() == 200);
        }
        try (Subscription stream = Subscription.to(system.api(), "?topic=orders.revoked", "0-0", key)) {
            Awaitility.await().until(() -> stream.count() == 1);
            keys.revoke("revoked later");
            Awaitility.await()
                    .atMost(KNOWN_WITHIN)
                    .until(() -> system.apis().stream()
                            .allMatch(api -> publish(key, "orders.revoked", api).statusCode() == 401));
            assertThat(stream.endsWithin(KNOWN_WITHIN)).isTrue();
        }
    }

    @Test
    @Order(2)
    void whatIsUnderWayEndsWhenItsKeyIsRevoked() throws Exception {
        String key = keys.create("revoked under way", "read", "*");
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> as(key).get("/stats").statusCode() == 200);
        // More than the buffers on the way hold.
        system.jdbc().sql("""
                        INSERT INTO events (topic, event_id, ts, source, payload, received_at)
                        SELECT 'orders.large', n::text, now(), 'test', jsonb_build_object('text', repeat('x', 500000)), now()
                        FROM generate_series(1, 60) AS n
                        """).update();
        system.awaitHorizon();
        HttpClient client = HttpClient.newHttpClient();
        CompletableFuture<HttpResponse<String>> page = client.sendAsync(asking("/live", key), BodyHandlers.ofString());
        InputStream export = client.send(asking("/events.ndjson?topic=orders.large", key), BodyHandlers.ofInputStream())
                .body();
        assertThat(export.read()).isEqualTo('{');

        keys.revoke("revoked under way");
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> as(key).get("/stats").statusCode() == 401);

        assertThat(page).succeedsWithin(KNOWN_WITHIN);
        assertThatThrownBy(() -> export.transferTo(OutputStream.nullOutputStream()))
                .isInstanceOf(IOException.class);
    }

    private static HttpRequest asking(String path, String key) {
        return HttpRequest.newBuilder(system.api().resolve(path))
                .header("Authorization", "Bearer " + key)
                .build();
    }

    @Test
    @Order(3)
    void whilePostgresIsAwayTheKeysAreThoseItToldLast() {
        system.postgres().stop();
        ServiceProcess knowing = system.apis().getFirst();
        ServiceProcess restarted = system.apis().getLast();
        restarted.stop();
        restarted.start();
        Awaitility.await()
                .ignoreExceptions()
                .until(() -> publish(publisher, "orders.1", restarted).statusCode() == 503);
        for (String key : Arrays.asList(publisher, revoked, null)) {
            publish(key, "orders.1", restarted)
                    .then()
                    .statusCode(503)
                    .header("Retry-After", equalTo("1"))
                    .body("detail", startsWith("It is not known yet who may do this"));
        }
        as(null, restarted).get("/readyz").then().statusCode(503);
        as(null, restarted).get("/docs").then().statusCode(200);
        Awaitility.await()
                .during(Duration.ofSeconds(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> publish(publisher, "orders.away", knowing).statusCode() == 200
                        && publish(publisher, "sales.away", knowing).statusCode() == 403
                        && publish(revoked, "orders.away", knowing).statusCode() == 401
                        && publish(null, "orders.away", knowing).statusCode() == 401);
        Keys.Run command = keys.run("list");
        assertThat(command.status()).isEqualTo(1);
        assertThat(command.errors()).contains("PostgreSQL does not answer").doesNotContain("Exception");

        system.postgres().start();
        system.postgres().awaitReady();
        restarted.awaitReady();
        publish(publisher, "orders.1", restarted).then().statusCode(200);
        publish(null, "orders.1", restarted).then().statusCode(401);
    }

    @Test
    @Order(4)
    void thePublisherSendsItsKey() {
        String target = "--publisher.target=" + system.api();
        PublisherRun refused = system.runPublisher(target, "--publisher.count=10", "--publisher.key=" + revoked);
        assertThat(refused.status()).isEqualTo(1);
        assertThat(refused.output()).contains("HTTP 401").doesNotContain("agg_");
        String key = keys.create("run", "publish,read", "*");
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> as(key).get("/stats").statusCode() == 200);
        PublisherRun run = system.runPublisher(target, "--publisher.count=100", "--publisher.key=" + key);
        assertThat(run.status()).as(run.output()).isZero();
        assertThat(run.output()).contains("OK: the books balance.").doesNotContain("agg_");
    }

    @Test
    @OwnSystem(apis = 1, workers = 0)
    @Order(5)
    void withoutAnyKeyItIsOpenWhereNobodyElseCanComeOrWhereItIsTold(AggregatorSystem own) {
        LaunchOptions beyond = LaunchOptions.defaults().withArguments("--api.reachable-at=0.0.0.0");
        own.publish(TestEvents.json(TestEvents.event("t", "1"))).then().statusCode(200);
        own.http()
                .header("Authorization", "Bearer agg_of-another-system")
                .get("/stats")
                .then()
                .statusCode(200);

        assertThatThrownBy(() -> own.startApi(beyond))
                .hasMessageContaining("Not starting: this API can be reached from beyond this machine")
                .hasMessageContaining("keys create")
                .hasMessageContaining("API_OPEN_WITHOUT_KEYS=true");
        ServiceProcess refusing = own.apis().getLast();
        assertThat(refusing.exitStatus()).isEqualTo(1);
        assertThat(refusing.log().lines().filter(line -> line.contains("ERROR")))
                .hasSize(1);
        // Nor does one that says nothing of where it listens, which is everywhere.
        assertThatThrownBy(() -> own.startApi(LaunchOptions.defaults().withArguments("--api.reachable-at=")))
                .hasMessageContaining("any address");

        ServiceProcess open = own.startApi(beyond.withArguments("--api.open-without-keys=true"));
        publish(null, "t", open).then().statusCode(200);

        Keys made = new Keys(own);
        String key = made.create("first", "publish,read,admin", "*");
        List<ServiceProcess> opened = List.of(own.apis().getFirst(), open);
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() ->
                        opened.stream().allMatch(api -> publish(null, "t", api).statusCode() == 401));
        own.startApi(beyond);
        for (ServiceProcess api :
                List.of(own.apis().getFirst(), open, own.apis().getLast())) {
            publish(key, "t", api).then().statusCode(200);
        }
        // A URL would end up in logs, so it has none that counts.
        own.http()
                .get("/stats?key=" + key + "&X-API-Key=" + key + "&access_token=" + key)
                .then()
                .statusCode(401);
        // The last one revoked does not open the door.
        made.revoke("first");
        Awaitility.await()
                .atMost(KNOWN_WITHIN)
                .until(() -> publish(key, "t", own.apis().getFirst()).statusCode() == 401);
        publish(null, "t", own.apis().getFirst()).then().statusCode(401);
    }
}
