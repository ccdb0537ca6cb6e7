package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whichever form events come in, compressed or not, they are taken, or refused, as the same events. */
@SharedSystem
class FormsIT {
    /** A way to write some events. */
    enum Form {
        ARRAY("application/json") {
            @Override
            String text(List<String> events) {
                return "[" + String.join(",", events) + "]";
            }
        },
        WRAPPED_ARRAY("application/json; charset=UTF-8") {
            @Override
            String text(List<String> events) {
                return "{\"events\": [" + String.join(",", events) + "]}";
            }
        },
        LINES("application/x-ndjson") {
            @Override
            String text(List<String> events) {
                return String.join("\n", events) + "\n";
            }
        };

        private final String contentType;

        Form(String contentType) {
            this.contentType = contentType;
        }

        abstract String text(List<String> events);
    }

    static HttpResponse<String> publish(AggregatorSystem system, String contentType, boolean gzip, BodyPublisher body) {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(system.api().resolve("/publish"))
                            .version(HttpClient.Version.HTTP_1_1)
                            .header("Content-Type", contentType)
                            .header("Content-Encoding", gzip ? "gzip" : "identity")
                            .POST(body)
                            .build(),
                    BodyHandlers.ofString());
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static HttpResponse<String> publish(AggregatorSystem system, Form form, List<String> events) {
        return publish(system, form.contentType, false, BodyPublishers.ofString(form.text(events)));
    }

    private static List<Event> someEvents() {
        String topic = AggregatorSystem.newTopic();
        return List.of(
                TestEvents.event(topic, "1"),
                new Event(topic, "é😀\u2028", Instant.parse("2025-12-08T10:00:00.123456Z"), "\u3000", "{\"a\":[1.10]}"),
                TestEvents.ofPayloadSize(topic, "3", 300_000));
    }

    private static List<String> json(List<Event> events) {
        return events.stream().map(TestEvents::json).toList();
    }

    @ParameterizedTest
    @EnumSource
    void eachFormIsTakenCompressedOrNotAndWithItsLengthToldOrNot(Form form, AggregatorSystem system) {
        for (boolean gzip : new boolean[] {false, true}) {
            for (boolean chunked : new boolean[] {false, true}) {
                List<Event> events = someEvents();
                byte[] text = form.text(json(events)).getBytes(UTF_8);
                BodyPublisher whole = BodyPublishers.ofByteArray(gzip ? GzipIT.gzip(text) : text);
                HttpResponse<String> response =
                        publish(system, form.contentType, gzip, chunked ? BodyPublishers.fromPublisher(whole) : whole);
                assertThat(response.body()).isEqualTo("{\"status\":\"queued\",\"accepted\":3}");
                system.awaitSettled();
                assertThat(system.eventsOf(events.getFirst().topic())).containsExactlyInAnyOrderElementsOf(events);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void eachFaultOfABatchIsNamedByIndexAndNothingIsTaken(Form form, AggregatorSystem system) {
        Books before = system.awaitSettled();
        String good = TestEvents.json(TestEvents.event("t", "1"));
        HttpResponse<String> response = publish(
                system,
                form,
                List.of(
                        good,
                        good.replace("\"source\"", "\"sauce\""),
                        good,
                        good.replace("{\"amount\":500}", "{\"a\":1,\"a\":2}")));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(TestEvents.tree(response.body()).get("errors").valueStream().map(Object::toString))
                .containsExactly(
                        "{\"index\":1,\"field\":\"sauce\",\"message\":\"is no field of an event; what is particular to yours"
                                + " belongs into the payload\"}",
                        "{\"index\":1,\"field\":\"source\",\"message\":\"is missing\"}",
                        "{\"index\":3,\"field\":\"payload\",\"message\":\"must not hold a key twice in one object, at"
                                + " /payload/a\"}");
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource
    void theFirstHundredFaultsAreNamedAndAllAreCounted(Form form, AggregatorSystem system) {
        HttpResponse<String> response = publish(system, form, Collections.nCopies(101, "7"));
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(TestEvents.tree(response.body()).get("errors").size()).isEqualTo(100);
        assertThat(response.body()).contains("The request has 101 faults.");
    }

    @Test
    void theLineThatIsNoJsonIsTold(AggregatorSystem system) {
        Books before = system.awaitSettled();
        String good = TestEvents.json(TestEvents.event("t", "1"));
        HttpResponse<String> response = publish(
                system,
                Form.LINES.contentType,
                false,
                BodyPublishers.ofString(good + "\n\n" + good.substring(1) + "\n" + good));
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        assertThat(response.body()).contains("line 3, column ");
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "application/x-ndjson",
                "application/cloudevents+json",
                "application/cloudevents-batch+json"
            })
    void anotherCharsetThanThatOfJsonIsNotTaken(String contentType, AggregatorSystem system) {
        for (String charset : List.of("ISO-8859-1", "utf-16", "x-none")) {
            HttpResponse<String> response = publish(
                    system,
                    contentType + "; charset=" + charset,
                    false,
                    BodyPublishers.ofString(TestEvents.json(TestEvents.event("t", "é")), ISO_8859_1));
            assertThat(response.statusCode()).isEqualTo(415);
            assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
            assertThat(response.headers().firstValue("Accept").orElse("")).contains(contentType);
        }
    }

    @ParameterizedTest
    @CsvSource({"application/x-ndjson, false", "application/x-ndjson, true", "application/json, true"})
    void whatIsReadLineByLineIsBoundedAsEverythingIs(String contentType, boolean gzip, AggregatorSystem system) {
        Books before = system.awaitSettled();
        byte[] body = (TestEvents.json(TestEvents.event("t", "1")) + "\n".repeat(8 << 20)).getBytes(UTF_8);
        HttpResponse<String> response = publish(
                system,
                contentType,
                gzip,
                BodyPublishers.fromPublisher(BodyPublishers.ofByteArray(gzip ? GzipIT.gzip(body) : body)));
        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(response.body()).contains("api.max-request-size");
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @Test
    void moreLinesThanARequestMayHoldAreRefused(AggregatorSystem system) {
        HttpResponse<String> response =
                publish(system, Form.LINES, json(TestEvents.events(AggregatorSystem.newTopic(), 10_001)));
        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(response.body()).contains("api.max-request-events");
    }
}
