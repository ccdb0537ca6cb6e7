package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is as large as it may be is taken, what is larger is refused whole. */
@SharedSystem
class LimitsIT {
    @Test
    void takesAPayloadOfAMebibyte(AggregatorSystem system) {
        Event event = TestEvents.ofPayloadSize(AggregatorSystem.newTopic(), "1", 1 << 20);
        assertThat(system.publish(TestEvents.json(event)).statusCode()).isEqualTo(200);
        system.awaitSettled();
        assertThat(system.eventsOf(event.topic())).containsExactly(event);
    }

    @Test
    void takesABatchOfTenThousand(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        system.publish(TestEvents.json(TestEvents.events(topic, 10_000)))
                .then()
                .statusCode(200)
                .body("accepted", equalTo(10_000));
        system.awaitSettled();
        assertThat(system.allEvents("?topic=" + topic)).hasSize(10_000);
    }

    @Test
    void givesLargeEventsInPagesThatFitIntoMemory(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        for (int i = 0; i < 12; i++) {
            system.publish(TestEvents.json(TestEvents.ofPayloadSize(topic, Integer.toString(i), 1 << 20)));
        }
        system.awaitSettled();
        assertThat(system.events("?topic=" + topic).events()).hasSizeBetween(3, 5);
        assertThat(system.allEvents("?topic=" + topic)).hasSize(12);
    }

    @Test
    void refusesMoreEventsThanARequestMayHold(AggregatorSystem system) {
        Books before = system.awaitSettled();
        system.publish(TestEvents.json(TestEvents.events("t", 10_001)))
                .then()
                .statusCode(413)
                .contentType("application/problem+json")
                .body("detail", containsString("api.max-request-events"));
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @Test
    void refusesAnEventThatIsTooLarge(AggregatorSystem system) {
        Books before = system.awaitSettled();
        system.publish(TestEvents.json(
                        List.of(TestEvents.event("t", "1"), TestEvents.ofPayloadSize("t", "2", 2 << 20))))
                .then()
                .statusCode(413)
                .contentType("application/problem+json")
                .body("detail", containsString("Event 1 "))
                .body("detail", containsString("api.max-event-size"));
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @Test
    void refusesABodyThatIsTooLargeWhetherItsLengthIsToldOrNot(AggregatorSystem system) throws Exception {
        byte[] body = new byte[(8 << 20) + 1];
        try (HttpClient client = HttpClient.newHttpClient()) {
            for (var publisher : List.of(
                    BodyPublishers.ofByteArray(body), BodyPublishers.fromPublisher(BodyPublishers.ofByteArray(body)))) {
                HttpResponse<String> response = client.send(
                        HttpRequest.newBuilder(system.api().resolve("/publish"))
                                .version(HttpClient.Version.HTTP_1_1)
                                .header("Content-Type", "application/json")
                                .POST(publisher)
                                .build(),
                        BodyHandlers.ofString());
                assertThat(response.statusCode()).isEqualTo(413);
                assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
                assertThat(response.body()).contains("api.max-request-size");
            }
        }
    }
}
