package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.restassured.response.Response;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What was answered from the beginning still is: clients written against the first version read it. */
class SeedContractIT {
    private static final String EVENT = """
            {"topic": "orders", "event_id": "unique-uuid-123", "timestamp": "2025-12-08T10:00:00Z", "source": "app-service", "payload": {"amount": 500}}\
            """;

    private static JsonNode json(Response response) {
        response.then().statusCode(200).contentType("application/json");
        return TestEvents.tree(response.asString());
    }

    @Test
    @OwnSystem
    void theFirstExamplesAreAnsweredAsTheyWere(AggregatorSystem system) {
        JsonNode published = json(system.publish(EVENT));
        assertThat(published.get("status").stringValue()).isEqualTo("queued");
        assertThat(published.get("event_id").stringValue()).isEqualTo("unique-uuid-123");
        assertThat(json(system.publish(EVENT))).isEqualTo(published);

        String payment = EVENT.replace("orders", "payments");
        for (String batch : List.of("[" + EVENT + "," + payment + "]", "{\"events\": [" + payment + "]}")) {
            JsonNode answer = json(system.publish(batch));
            assertThat(answer.get("status").stringValue()).isEqualTo("queued");
        }
        system.awaitSettled();

        assertThat(json(system.http().get("/events?topic=orders&limit=10")))
                .isEqualTo(TestEvents.tree("[" + EVENT + "]"));
        assertThat(json(system.http().get("/events?topic=nothing"))).isEqualTo(TestEvents.tree("[]"));
        assertThat(json(system.http().get("/events"))).isEqualTo(TestEvents.tree("[" + payment + "," + EVENT + "]"));

        JsonNode stats = json(system.http().get("/stats"));
        assertThat(stats.get("uptime_stats"))
                .isEqualTo(TestEvents.tree("{\"total_received_api\": 5, \"duplicates_dropped_consumer\": 3}"));
        assertThat(stats.get("database_stats")).isEqualTo(TestEvents.tree("{\"unique_events_stored\": 2}"));
        assertThat(stats.get("topics")).isEqualTo(TestEvents.tree("{\"orders\": 1, \"payments\": 1}"));
        assertThat(stats.get("received").intValue()).isEqualTo(5);
        assertThat(stats.get("unique_processed").intValue()).isEqualTo(2);
        assertThat(stats.get("duplicate_dropped").intValue()).isEqualTo(3);
        assertThat(stats.get("workers").intValue()).isEqualTo(1);
        assertThat(stats.get("uptime_sec").isIntegralNumber()).isTrue();
    }
}
