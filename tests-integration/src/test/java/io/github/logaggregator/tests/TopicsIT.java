package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.model.Event;
import io.restassured.response.Response;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** GET /topics gives each topic once, with what was settled of it and when its first and last event arrived. */
@SharedSystem
class TopicsIT {
    private static JsonNode only(AggregatorSystem system, String topic) {
        List<JsonNode> found = all(system, "?limit=1000").stream()
                .filter(entry -> entry.get("topic").stringValue().equals(topic))
                .toList();
        assertThat(found).as(topic).hasSize(1);
        return found.getFirst();
    }

    private static List<JsonNode> all(AggregatorSystem system, String query) {
        List<JsonNode> all = new ArrayList<>();
        for (String next = "/topics" + query; next != null; ) {
            Response response = system.http().urlEncodingEnabled(false).get(next);
            response.then().statusCode(200).contentType("application/json");
            TestEvents.JSON.readTree(response.asByteArray()).forEach(all::add);
            String link = response.header("Link");
            next = link == null ? null : link.replaceFirst("<[^?]*([^>]*)>; rel=\"next\"", "/topics$1");
        }
        return all;
    }

    @Test
    void countsWhatWasSettledAndTellsTheFirstAndLastArrival(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        List<Event> events = TestEvents.events(topic, 3);
        system.publish(TestEvents.json(events));
        system.awaitSettled();
        system.publish(TestEvents.json(TestEvents.event(topic, "last")));
        system.publish(TestEvents.json(events.subList(0, 2)));
        system.publish(TestEvents.json(new Event(topic, "0", Instant.EPOCH, "another", "{}")));
        system.awaitSettled();
        JsonNode entry = only(system, topic);
        assertThat(entry.propertyNames())
                .containsExactly(
                        "topic",
                        "stored",
                        "expired",
                        "duplicates",
                        "conflicting",
                        "dead_lettered",
                        "first_arrival",
                        "last_arrival");
        assertThat(entry.get("stored").intValue()).isEqualTo(4);
        assertThat(entry.get("expired").intValue()).isZero();
        assertThat(entry.get("duplicates").intValue()).isEqualTo(3);
        assertThat(entry.get("conflicting").intValue()).isEqualTo(1);
        assertThat(entry.get("dead_lettered").intValue()).isZero();
        assertThat(Instant.parse(entry.get("first_arrival").stringValue())).isEqualTo(storedAt(system, topic, "0"));
        assertThat(Instant.parse(entry.get("last_arrival").stringValue())).isEqualTo(storedAt(system, topic, "last"));
    }

    private static Instant storedAt(AggregatorSystem system, String topic, String eventId) {
        return system.jdbc()
                .sql("SELECT stored_at FROM events WHERE topic = ? AND event_id = ?")
                .params(topic, eventId)
                .query(OffsetDateTime.class)
                .single()
                .toInstant();
    }

    /** Also while what is counted has not been added up yet, which a worker does about once a second. */
    @Test
    void countsTheSameBeforeAndAfterTheTotalsAreAddedUp(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        for (int i = 0; i < 30; i++) {
            system.publish(TestEvents.json(TestEvents.event(topic, Integer.toString(i))));
            system.awaitSettled();
            assertThat(only(system, topic).get("stored").intValue()).isEqualTo(i + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7})
    void pagesHaveEachTopicOnceInTheOrderOfTheirNames(int limit, AggregatorSystem system) {
        String prefix = AggregatorSystem.newTopic();
        List<String> topics = List.of("", " b&c=d+e%20f/?#\"<>", "a", "a'b", "é", "😀");
        topics.forEach(topic -> system.publish(TestEvents.json(TestEvents.event(prefix + topic, "1"))));
        system.awaitSettled();
        List<String> read = all(system, "?limit=" + limit).stream()
                .map(entry -> entry.get("topic").stringValue())
                .toList();
        assertThat(read).doesNotHaveDuplicates();
        assertThat(read.stream().filter(topic -> topic.startsWith(prefix)))
                .hasSize(topics.size())
                .containsExactlyElementsOf(system.jdbc()
                        .sql("SELECT topic FROM events WHERE starts_with(topic, ?) ORDER BY topic")
                        .param(prefix)
                        .query(String.class)
                        .list());
    }

    @ParameterizedTest
    @ValueSource(strings = {"limit=0", "limit=1001", "cursor=", "cursor=%00"})
    void refusesWhatMakesNoSense(String query, AggregatorSystem system) {
        system.http()
                .urlEncodingEnabled(false)
                .get("/topics?" + query)
                .then()
                .statusCode(422)
                .contentType("application/problem+json")
                .body("errors[0].field", equalTo(query.substring(0, query.indexOf('='))));
    }
}
