package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.model.Event;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
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
        "cursor=a-b, cursor"
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
}
