package io.github.logaggregator.tests;

import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;

import org.junit.jupiter.api.Test;

@SharedSystem
class OneEventIT {
    @Test
    void goesAllTheWay(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();

        system.http()
                .contentType("application/json")
                .body("""
                        {"topic": "%s", "event_id": "1", "timestamp": "2025-12-08T10:00:00Z",
                         "source": "test", "payload": {"amount": 500}}
                        """.formatted(topic))
                .post("/publish")
                .then()
                .statusCode(200)
                .body("status", equalTo("queued"));

        await().untilAsserted(
                        () -> system.http().get("/events?topic=" + topic).then().body("payload.amount", contains(500)));
    }
}
