package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.nullValue;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.Stats.Books;
import io.restassured.response.Response;
import java.net.URLEncoder;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A duplicate whose content is not what is stored is told apart, kept, and changes nothing; the books balance as before. */
@SharedSystem
class ConflictsIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final String TIMESTAMP = "2025-12-08T10:00:00.123456Z";
    private static final String PAYLOAD = "{\"amount\":1.50,\"of\":{\"n\":100,\"list\":[1,2]},\"text\":\"é\"}";

    private static String json(String topic, String timestamp, String source, String payload) {
        return "{\"topic\":\"%s\",\"event_id\":\"1\",\"timestamp\":\"%s\",\"source\":\"%s\",\"payload\":%s}"
                .formatted(topic, timestamp, source, payload);
    }

    /** The books' change when an event is stored and then sent again, in a claim of its own. */
    private static Books changeBySending(AggregatorSystem system, String topic, String again) {
        Books before = system.awaitSettled();
        system.publish(json(topic, TIMESTAMP, "test", PAYLOAD)).then().statusCode(200);
        system.awaitSettled();
        system.publish(again).then().statusCode(200);
        return AggregatorSystem.change(before, system.awaitSettled());
    }

    private static Response conflicts(AggregatorSystem system, String topic, String eventId) {
        return system.http()
                .urlEncodingEnabled(false)
                .get("/events/" + encoded(topic) + "/" + encoded(eventId) + "/conflicts");
    }

    private static String encoded(String name) {
        return URLEncoder.encode(name, UTF_8).replace("+", "%20");
    }

    private static Event event(String topic, String eventId, long n) {
        return new Event(topic, eventId, Instant.EPOCH, "test", "{\"n\":" + n + "}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                TIMESTAMP + "|" + PAYLOAD,
                TIMESTAMP
                        + "|{ \"text\" : \"\\u00e9\" ,\t\"of\" : {\"list\" : [ 1, 2 ], \"n\" : 1e2}, \"amount\" : 1.50 }",
                "2025-12-08T12:00:00.123456+02:00|" + PAYLOAD,
                "2025-12-08T10:00:00.123456789Z|" + PAYLOAD
            })
    void equalContentIsADuplicateAndNothingElse(String timestamp, String payload, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        assertThat(changeBySending(system, topic, json(topic, timestamp, "test", payload)))
                .isEqualTo(new Books(2, 1, 1, 0, 0, 0, 0, 0));
        conflicts(system, topic, "1")
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body("", hasSize(0));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "2025-12-08T10:00:00.123457Z|test|" + PAYLOAD,
                TIMESTAMP + "|other|" + PAYLOAD,
                TIMESTAMP + "|test|{\"amount\":1.5,\"of\":{\"n\":100,\"list\":[1,2]},\"text\":\"é\"}",
                TIMESTAMP + "|test|{\"amount\":1.50,\"of\":{\"n\":100,\"list\":[2,1]},\"text\":\"é\"}",
                TIMESTAMP + "|test|{\"amount\":1.50,\"of\":{\"n\":100,\"list\":[1,2]},\"text\":\"e\u0301\"}",
                TIMESTAMP + "|test|{}"
            })
    void anotherContentIsCountedAndKeptAndWhatIsStoredStays(
            String timestamp, String source, String payload, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        Instant before = Instant.now().minusSeconds(600);
        assertThat(changeBySending(system, topic, json(topic, timestamp, source, payload)))
                .isEqualTo(new Books(2, 1, 1, 1, 0, 0, 0, 0));

        Response conflicts = conflicts(system, topic, "1");
        conflicts
                .then()
                .statusCode(200)
                .body("topic", contains(topic))
                .body("event_id", contains("1"))
                .body("timestamp", contains(timestamp))
                .body("source", contains(source));
        assertThat(TestEvents.tree(conflicts.asString()).get(0).get("payload")).isEqualTo(TestEvents.tree(payload));
        assertThat(Instant.parse(conflicts.path("[0].received_at"))).isBetween(before, Instant.now());

        Event stored = system.eventsOf(topic).getFirst();
        assertThat(stored.timestamp()).isEqualTo(Instant.parse(TIMESTAMP));
        assertThat(stored.source()).isEqualTo("test");
        assertThat(TestEvents.tree(stored.payload())).isEqualTo(TestEvents.tree(PAYLOAD));
    }

    @Test
    void withinAClaimTheFirstIsStoredAndTheOthersAreComparedWithIt(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        Books before = system.awaitSettled();
        system.publish(TestEvents.json(List.of(
                event(topic, "1", 1),
                event(topic, "2", 7),
                event(topic, "1", 2),
                event(topic, "1", 1),
                event(topic, "1", 3))));
        assertThat(AggregatorSystem.change(before, system.awaitSettled())).isEqualTo(new Books(5, 2, 3, 2, 0, 0, 0, 0));
        conflicts(system, topic, "1").then().body("payload.n", contains(3, 2));
        conflicts(system, topic, "2").then().body("", hasSize(0));
        assertThat(system.eventsOf(topic)).contains(event(topic, "1", 1));
    }

    @Test
    void theNewestTenOfAKeyAreKept(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        Books before = system.awaitSettled();
        system.publish(TestEvents.json(List.of(event(topic, "1", 0), event(topic, "2", 0), event(topic, "2", 100))));
        for (int from : List.of(1, 16, 21)) {
            system.publish(TestEvents.json(IntStream.range(from, from == 1 ? 16 : from + 5)
                    .mapToObj(n -> event(topic, "1", n))
                    .toList()));
            system.awaitSettled();
        }
        assertThat(AggregatorSystem.change(before, system.awaitSettled()))
                .isEqualTo(new Books(28, 2, 26, 26, 0, 0, 0, 0));
        conflicts(system, topic, "1").then().body("payload.n", contains(25, 24, 23, 22, 21, 20, 19, 18, 17, 16));
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> system.jdbc()
                                .sql("SELECT count(*) FROM conflicts WHERE topic = ?")
                                .param(topic)
                                .query(Long.class)
                                .single()
                        == 11);
        assertThat(system.jdbc()
                        .sql("SELECT count(*) FROM conflicting_keys")
                        .query(Long.class)
                        .single())
                .isZero();
        conflicts(system, topic, "1").then().body("payload.n", contains(25, 24, 23, 22, 21, 20, 19, 18, 17, 16));
        conflicts(system, topic, "2").then().body("payload.n", contains(100));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "a/b",
                "//",
                ";",
                "a;b=c",
                "%",
                "%2F",
                "%252F",
                "a..b",
                "...",
                "../x",
                "\\",
                "?",
                "#",
                "a b",
                "+",
                "&=",
                "é",
                "日本",
                "\"'<>",
                "[]{}|^`",
                ":@!$()*,~",
                ".well-known",
                "conflicts",
                "😀"
            })
    void anyNameCanStandInThePath(String name, AggregatorSystem system) {
        String topic = name + AggregatorSystem.newTopic();
        for (Event event : List.of(event(topic, name, 1), event(topic, name, 2))) {
            system.publish(TestEvents.json(event)).then().statusCode(200);
            system.awaitSettled();
        }
        conflicts(system, topic, name)
                .then()
                .statusCode(200)
                .body("topic", contains(topic))
                .body("event_id", contains(name))
                .body("payload.n", contains(2));
        system.http()
                .queryParams("topic", topic, "event_id", name)
                .get("/events/conflicts")
                .then()
                .statusCode(200)
                .body("payload.n", contains(2));
    }

    @ParameterizedTest
    @ValueSource(strings = {".", ".."})
    void namesThatAreDotsAreAskedForByParameters(String name, AggregatorSystem system) {
        String id = AggregatorSystem.newTopic();
        for (Event event : List.of(event(name, id, 1), event(name, id, 2))) {
            system.publish(TestEvents.json(event)).then().statusCode(200);
            system.awaitSettled();
        }
        system.http()
                .queryParams("topic", name, "event_id", id)
                .get("/events/conflicts")
                .then()
                .statusCode(200)
                .body("topic", contains(name))
                .body("payload.n", contains(2));
    }

    @ParameterizedTest
    @CsvSource({
        "/events/t/no-such-event/conflicts, 404",
        "/events/conflicts?topic=t&event_id=no-such-event, 404",
        "/events/t/a;b/conflicts, 400",
        "/events/t;x=1/a/conflicts, 400",
        "/events/t/%01/conflicts, 422",
        "/events/conflicts?topic=&event_id=1, 422",
        "/events/conflicts?topic=t, 400",
        "/events/t/1/conflicts?cursor=x, 422",
        "/events/%2E%2E/%2E%2E/%2E%2E/conflicts, 400",
        "/events/t//conflicts, 404",
        "/events/t/%00/conflicts, 400"
    })
    void whatIsNotThereOrMakesNoSenseIsAProblem(String path, int status, AggregatorSystem system) {
        system.http()
                .urlEncodingEnabled(false)
                .get(path)
                .then()
                .statusCode(status)
                .contentType("application/problem+json")
                .body("status", equalTo(status));
    }

    @Test
    void largeOnesComeInSeveralPages(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        for (int i = 0; i < 5; i++) {
            system.publish(TestEvents.json(TestEvents.ofPayloadSize(topic, "1", 1_500_000 + i)))
                    .then()
                    .statusCode(200);
            system.awaitSettled();
        }
        Response first = conflicts(system, topic, "1");
        first.then().statusCode(200).body("", hasSize(3));
        Response second = system.http()
                .urlEncodingEnabled(false)
                .get(first.header("Link").replaceFirst("<([^>]*)>; rel=\"next\"", "$1"));
        second.then().statusCode(200).header("Link", nullValue()).body("", hasSize(1));
        assertThat(second.path("[0].payload.text").toString()).hasSize(1_500_001 - "{\"text\":\"\"}".length());
    }

    @Test
    @OwnSystem(workers = 0)
    void whatAWorkerHeldWhenItWasKilledCountsOnce(AggregatorSystem system) {
        LaunchOptions shortLease =
                LaunchOptions.defaults().withArguments("--worker.lease=2s", "--worker.rescue-interval=200ms");
        ServiceProcess worker = system.startWorker(shortLease);
        system.publish(TestEvents.json(TestEvents.events("t", 500)));
        system.awaitSettled();
        system.postgres().pause();
        List<Event> others = IntStream.range(0, 500)
                .mapToObj(i -> event("t", Integer.toString(i), i))
                .toList();
        system.publish(TestEvents.json(others));
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> system.redis().zcard(KEYS.claims()) > 0);
        worker.kill();
        system.postgres().resume();

        system.startWorker(shortLease);
        assertThat(system.awaitSettled()).isEqualTo(new Books(1_000, 500, 500, 500, 0, 0, 0, 0));
        assertThat(system.jdbc()
                        .sql("SELECT count(*) FROM conflicts")
                        .query(Long.class)
                        .single())
                .isEqualTo(500);
        assertThat(system.allEvents("")).containsExactlyInAnyOrderElementsOf(TestEvents.events("t", 500));
    }

    @Test
    @OwnSystem
    void aReplayedDeadLetterIsComparedToo(AggregatorSystem system) {
        system.publish(TestEvents.json(List.of(event("t", "1", 1), event("t", "2", 2))));
        system.redis().lpush(KEYS.queue(), "garbage", "more garbage", "and more");
        system.redis().hincrby(KEYS.counters(), "received", 3);
        assertThat(system.awaitSettled()).isEqualTo(new Books(5, 2, 0, 3, 0, 0, 0));
        List<Integer> ids = system.http().get("/dead-letters").path("id");
        List<Event> repaired = List.of(event("t", "1", 7), event("t", "2", 2), event("t", "3", 3));
        for (int i = 0; i < repaired.size(); i++) {
            system.jdbc()
                    .sql("UPDATE dead_letters SET entry = ? WHERE id = ?")
                    .params(QueuedEvent.encode(Instant.now(), null, TestEvents.json(repaired.get(i))), ids.get(i))
                    .update();
        }
        system.http().noContentType().post("/dead-letters/replay").then().statusCode(202);
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(system.stats().books()).isEqualTo(new Books(5, 3, 2, 1, 0, 0, 0, 0)));
        conflicts(system, "t", "1").then().body("payload.n", contains(7));
    }
}
