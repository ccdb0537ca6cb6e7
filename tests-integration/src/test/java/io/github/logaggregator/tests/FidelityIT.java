package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import java.time.Instant;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What comes out is what went in. */
@SharedSystem
@Tag("stores")
class FidelityIT {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{\"amount\": 500}",
                "{\"decimal\": 12345678901234567890.10, \"zeros\": 1.000, \"small\": 0.00000000000000000001}",
                "{\"integers\": [0, -1, 9007199254740993, 123456789012345678901234567890]}",
                "{\"empty\": [{}, [], \"\", null, true, false], \"\": {\"\": 1}}",
                "{\"z\": 1, \"a\": 2, \"é\": 3, \"日本\": 4, \"😀\": 5}",
                "{\"text\": \"\\u0001 \\b\\f\\n\\r\\t \\\" \\\\ \\/ \\u007f \\u2028 \\ufffd \\uffff 😀 \\ud83d\\ude00\"}",
                "{\"html\": \"<script>alert('x')</script>\", \"sql\": \"'; DROP TABLE events; --\"}",
                "{\"deep\": [[[[[[[[[[[[[[[[[[[[{\"a\": [1]}]]]]]]]]]]]]]]]]]]]]}"
            })
    void thePayloadIsEqualAsJson(String payload, AggregatorSystem system) {
        Event event = new Event(AggregatorSystem.newTopic(), "1", Instant.EPOCH, "s", payload);
        assertThat(TestEvents.tree(throughTheSystem(event, system).payload())).isEqualTo(TestEvents.tree(payload));
    }

    @Test
    void numbersWithExponentsKeepTheirValue(AggregatorSystem system) {
        Event event = new Event(
                AggregatorSystem.newTopic(), "1", Instant.EPOCH, "s", "{\"n\": [1e2, -1.5E+3, 25e-1, 1e400, 1E-400]}");
        var numbers = TestEvents.tree(throughTheSystem(event, system).payload()).get("n");
        var sent = TestEvents.tree(event.payload()).get("n");
        for (int i = 0; i < sent.size(); i++) {
            assertThat(numbers.get(i).decimalValue())
                    .isEqualByComparingTo(sent.get(i).decimalValue());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a",
                "MiXeD",
                " ",
                "😀",
                "Ü ö/?&=#%+;,:@$ \"quoted\" \\ <b>",
                "日本語",
                "\uFFFD",
                "null",
                "../..",
                "{0}"
            })
    void namesComeBackAsSent(String name, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic() + name;
        Event event = new Event(topic, name, Instant.EPOCH, name, "{}");
        assertThat(throughTheSystem(event, system)).isEqualTo(event);
    }

    @Test
    void theLongestNamesComeBackAsSent(AggregatorSystem system) {
        String longest = "😀".repeat(255);
        Event event = new Event(longest, longest, Instant.EPOCH, longest, "{}");
        assertThat(throughTheSystem(event, system)).isEqualTo(event);
    }

    @ParameterizedTest
    @CsvSource({
        "2025-12-08T10:00:00Z, 2025-12-08T10:00:00Z",
        "2025-12-08T10:00:00, 2025-12-08T10:00:00Z",
        "2025-12-08T10:00:00.123456789+05:30, 2025-12-08T04:30:00.123456Z",
        "1969-12-31T23:59:59.999999999Z, 1969-12-31T23:59:59.999999Z",
        "1582-10-10T00:00:00Z, 1582-10-10T00:00:00Z",
        "0001-01-01T00:00:00Z, 0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z, 9999-12-31T23:59:59.999999Z"
    })
    void theTimestampIsTheSameInstantInUtc(String sent, String expected, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        String json = TestEvents.json(TestEvents.event(topic, "1")).replace("2025-12-08T10:00:00Z", sent);
        assertThat(system.publish(json).statusCode()).isEqualTo(200);
        system.awaitSettled();
        assertThat(system.events("?topic=" + topic).events().getFirst().timestamp())
                .isEqualTo(Instant.parse(expected));
    }

    private static Event throughTheSystem(Event event, AggregatorSystem system) {
        assertThat(system.publish(TestEvents.json(event)).statusCode()).isEqualTo(200);
        system.awaitSettled();
        return system.eventsOf(event.topic()).getFirst();
    }
}
