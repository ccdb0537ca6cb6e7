package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import io.github.logaggregator.model.Event;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** GET /events gives what was asked for, and no more. */
@SharedSystem
class ReadingIT {
    @Test
    void givesOnlyTheTopicAskedFor(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        List<Event> events = TestEvents.events(topic, 3);
        system.publish(TestEvents.json(events));
        system.publish(TestEvents.json(TestEvents.events(AggregatorSystem.newTopic(), 3)));
        system.awaitSettled();
        assertThat(system.events("?topic=" + topic).events()).containsExactlyInAnyOrderElementsOf(events);
        assertThat(system.events("?topic=" + topic.substring(1)).events()).isEmpty();
    }

    @Test
    void givesTheNewestFirstAHundredUnlessAskedForMore(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        for (Event event : TestEvents.events(topic, 3)) {
            system.publish(TestEvents.json(event));
            system.awaitSettled();
        }
        assertThat(system.events("?topic=" + topic).events())
                .extracting(Event::eventId)
                .containsExactly("2", "1", "0");
        system.publish(TestEvents.json(TestEvents.events(topic, 1_100)));
        system.awaitSettled();
        assertThat(system.events("?topic=" + topic).events()).hasSize(100);
        assertThat(system.events("?topic=" + topic + "&limit=1").events()).hasSize(1);
        assertThat(system.events("?topic=" + topic + "&limit=1000").events()).hasSize(1_000);
    }

    @Test
    void givesEachEventOnOnePageWhileOthersArrive(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        List<Event> events = TestEvents.events(topic, 50);
        system.publish(TestEvents.json(events));
        system.awaitSettled();
        List<Event> read = new ArrayList<>();
        AggregatorSystem.EventsPage page = system.events("?topic=" + topic + "&limit=7");
        for (int i = 0; page.next() != null; i++) {
            read.addAll(page.events());
            system.publish(TestEvents.json(TestEvents.event(topic, "later-" + i)));
            system.awaitSettled();
            page = system.events(page.next());
        }
        read.addAll(page.events());
        assertThat(read).containsExactlyInAnyOrderElementsOf(events);
    }

    @ParameterizedTest
    @ValueSource(strings = {"plain", "Ünïcode 日本 😀", "a b&c=d+e%20f/?#\"<>"})
    void theLinkLeadsToTheNextPageWhateverTheTopic(String name, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic() + name;
        List<Event> events = TestEvents.events(topic, 5);
        system.publish(TestEvents.json(events));
        system.awaitSettled();
        String encoded = URLEncoder.encode(topic, StandardCharsets.UTF_8);
        assertThat(system.allEvents("?limit=2&topic=" + encoded)).containsExactlyInAnyOrderElementsOf(events);
    }

    @Test
    void theLastPageLinksToNoOther(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        system.publish(TestEvents.json(TestEvents.events(topic, 10)));
        system.awaitSettled();
        assertThat(system.events("?topic=" + topic + "&limit=9").next()).isNotNull();
        assertThat(system.events("?topic=" + topic + "&limit=10").next()).isNull();
        assertThat(system.events("?topic=" + AggregatorSystem.newTopic()).next())
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "limit=0, limit",
        "limit=1001, limit",
        "limit=-1, limit",
        "limit=ten, limit",
        "limit=99999999999, limit",
        "topic=, topic",
        "topic=%00, topic",
        "cursor=, cursor",
        "cursor=1, cursor",
        "cursor=a-b, cursor",
        "order=, order",
        "order=up, order",
        "source=, source",
        "source=%00, source",
        "from=yesterday, from",
        "to=, to",
        "since=2025-12-08T10:00:00+02:00, since",
        "until=0, until",
        "payload=1, payload",
        "payload.=1, payload.",
        "payload.a..b=1, payload.a..b",
        "payload.a=%00, payload.a",
        "payload.a=1&payload.a=1, payload.a",
        "limit=1&limit=1, limit",
        "source=a&source=a, source",
        "order=asc&order=asc, order",
        "topics=a, topics",
        "Topic=a, Topic",
        "event_id=a, event_id",
        "topic=a&topic=b&event_id=a, event_id",
        "topic=a&event_id=a&limit=1, event_id",
        "topic=a&event_id=, event_id"
    })
    void refusesWhatItDoesNotUnderstand(String query, String field, AggregatorSystem system) {
        system.http()
                .urlEncodingEnabled(false)
                .get("/events?" + query)
                .then()
                .statusCode(422)
                .contentType("application/problem+json")
                .body("errors[0].field", equalTo(field));
    }

    @Test
    void refusesMoreThanItCanLookFor(AggregatorSystem system) {
        refusesMore(system, 100, i -> "topic=" + i, "topic");
        refusesMore(system, 10, i -> "payload." + i + "=1", null);
        String deep = "payload." + "a.".repeat(19) + "a";
        assertThat(system.events("?" + deep + "=1").events()).isEmpty();
        system.http().get("/events?" + deep + ".a=1").then().statusCode(422);
    }

    private static void refusesMore(
            AggregatorSystem system, int most, IntFunction<String> parameter, @Nullable String field) {
        String query = IntStream.range(0, most).mapToObj(parameter).collect(Collectors.joining("&"));
        assertThat(system.events("?" + query).events()).isEmpty();
        system.http()
                .get("/events?" + query + "&" + parameter.apply(most))
                .then()
                .statusCode(422)
                .body("errors[0].field", field == null ? startsWith("payload.") : equalTo(field));
    }

    @Test
    void severalTopicsComeInOneOrderBothWays(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        for (int i = 0; i < 12; i++) {
            system.publish(TestEvents.json(
                    List.of(TestEvents.event(topic + i % 3, "a" + i), TestEvents.event(topic + (i + 1) % 3, "b" + i))));
            system.awaitSettled();
        }
        system.awaitHorizon();
        String wanted = "topic=" + topic + "0&topic=" + topic + "2&topic=" + topic + "0&limit=3";
        List<@Nullable String> inOrder = system.jdbc()
                .sql("SELECT event_id FROM events WHERE topic IN (?, ?) ORDER BY arrival_xid, arrival_number")
                .params(topic + "0", topic + "2")
                .query(String.class)
                .list();
        assertThat(inOrder).hasSize(16);
        assertThat(system.allEvents("?order=asc&" + wanted))
                .extracting(Event::eventId)
                .isEqualTo(inOrder);
        assertThat(system.allEvents("?" + wanted)).extracting(Event::eventId).isEqualTo(inOrder.reversed());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "source=shop|1 2",
                "source=shop'|3",
                "source=nobody|``",
                "from=2025-12-08T10:00:01Z|2 3",
                "to=2025-12-08T10:00:01Z|1",
                "from=2025-12-08T10:00:00.000001Z&to=2025-12-08T12:00:02%2B02:00|2",
                "from=2025-12-08T10:00:01Z&to=2025-12-08T10:00:01Z|``",
                "payload.amount=1.50|1",
                "payload.amount=1.5|``",
                "payload.amount=100|2",
                "payload.paid=true|1",
                "payload.none=null|``",
                "payload.list.1=b|1",
                "payload.list.-1=b|1",
                "payload.list=%5B%22a%22,+%22b%22%5D|1",
                "payload.of.deep=%27+OR+1%3D1+--|1",
                "payload.of.deep=%25|2",
                "payload.d%27%3B+%3F+%3Ax+%22%7B%7D=%F0%9F%98%80|2",
                "payload.%F0%9F%98%80=%22quoted%22+%5C|3",
                "payload.amount=100&payload.of.deep=%25&source=shop|2",
                "payload.amount=100&payload.of.deep=x|``",
                "payload.long=LONG|3"
            })
    void eachFilterGivesWhatMeetsIt(String query, String ids, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        String text = "é😀".repeat(300);
        system.publish(TestEvents.json(List.of(
                new Event(
                        topic,
                        "1",
                        Instant.parse("2025-12-08T10:00:00Z"),
                        "shop",
                        "{\"amount\":1.50,\"paid\":true,\"none\":null,\"list\":[\"a\",\"b\"],\"of\":{\"deep\":\"' OR 1=1 --\"}}"),
                new Event(
                        topic,
                        "2",
                        Instant.parse("2025-12-08T10:00:01Z"),
                        "shop",
                        "{\"amount\":1e2,\"of\":{\"deep\":\"%\"},\"d'; ? :x \\\"{}\":\"😀\"}"),
                new Event(
                        topic,
                        "3",
                        Instant.parse("2025-12-08T10:00:02Z"),
                        "shop'",
                        "{\"😀\":\"\\\"quoted\\\" \\\\\",\"long\":\"" + text + "\"}"))));
        system.awaitSettled();
        system.awaitHorizon();
        String sent = query.replace("LONG", URLEncoder.encode(text, StandardCharsets.UTF_8));
        for (String order : List.of("asc", "desc")) {
            List<Event> events = system.allEvents("?topic=" + topic + "&order=" + order + "&" + sent);
            assertThat(events.stream().map(Event::eventId).sorted().collect(Collectors.joining(" ")))
                    .isEqualTo(ids);
        }
    }

    @Test
    void sinceAndUntilAreOfTheArrival(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        for (int i = 0; i < 4; i++) {
            system.publish(TestEvents.json(TestEvents.event(topic, Integer.toString(i))));
            system.awaitSettled();
        }
        system.awaitHorizon();
        String period = "since=" + storedAt(system, topic, "1") + "&until=" + storedAt(system, topic, "3");
        for (String query : List.of("?order=asc&", "?topic=" + topic + "&order=asc&")) {
            assertThat(system.allEvents(query + period))
                    .filteredOn(event -> event.topic().equals(topic))
                    .extracting(Event::eventId)
                    .containsExactly("1", "2");
        }
        assertThat(system.allEvents("?topic=" + topic + "&since=2100-01-01T00:00:00Z"))
                .isEmpty();
        assertThat(system.allEvents("?topic=" + topic + "&until=2000-01-01T00:00:00Z"))
                .isEmpty();
    }

    private static Instant storedAt(AggregatorSystem system, String topic, String eventId) {
        return system.jdbc()
                .sql("SELECT stored_at FROM events WHERE topic = ? AND event_id = ?")
                .params(topic, eventId)
                .query(OffsetDateTime.class)
                .single()
                .toInstant();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b", "/", "a;b=c", "100%", "%2F", "a b+c", "#?\"\\'", "é😀", "..."})
    void oneEventIsReadByItsKey(String name, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic() + name;
        Event event = TestEvents.event(topic, name);
        system.publish(TestEvents.json(event));
        system.awaitSettled();
        String path = "/events/" + encoded(topic) + "/" + encoded(name);
        system.http()
                .urlEncodingEnabled(false)
                .get(path)
                .then()
                .statusCode(200)
                .contentType("application/json")
                .body("topic", equalTo(topic))
                .body("event_id", equalTo(name))
                .body("timestamp", equalTo("2025-12-08T10:00:00Z"))
                .body("source", equalTo("test"))
                .body("payload.amount", equalTo(500));
        assertThat(system.events("?topic=" + encoded(topic) + "&event_id=" + encoded(name))
                        .events())
                .containsExactly(event);
        system.http()
                .urlEncodingEnabled(false)
                .get(path + "x")
                .then()
                .statusCode(404)
                .contentType("application/problem+json")
                .body("detail", equalTo("There is no such event."));
        system.http()
                .urlEncodingEnabled(false)
                .get(path + ";x=y")
                .then()
                .statusCode(400)
                .contentType("application/problem+json");
    }

    @Test
    void whatCanNotStandInAPathIsReadByParameters(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        Event event = TestEvents.event(topic, "..");
        system.publish(TestEvents.json(event));
        system.awaitSettled();
        assertThat(system.events("?topic=" + topic + "&event_id=..").events()).containsExactly(event);
        assertThat(system.events("?topic=" + topic + "&event_id=.").events()).isEmpty();
    }

    private static String encoded(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
