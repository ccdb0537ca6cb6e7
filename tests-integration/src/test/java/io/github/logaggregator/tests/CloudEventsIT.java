package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.cloudevents.CloudEvent;
import io.cloudevents.core.builder.CloudEventBuilder;
import io.cloudevents.core.message.MessageWriter;
import io.cloudevents.http.HttpMessageFactory;
import io.cloudevents.jackson.JsonFormat;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** CloudEvents, as their own Java SDK sends them, are taken whole, and are the same in every mode. */
@SharedSystem
class CloudEventsIT {
    private static final JsonFormat FORMAT = new JsonFormat();

    /** The ways in which CloudEvents may be sent by HTTP. */
    enum Mode {
        BINARY {
            @Override
            void write(CloudEvent event, HttpRequest.Builder request) {
                writer(request).writeBinary(event);
            }
        },
        STRUCTURED {
            @Override
            void write(CloudEvent event, HttpRequest.Builder request) {
                writer(request).writeStructured(event, FORMAT);
            }
        },
        // The SDK has no writer for batches; an array of what it writes is one.
        BATCH {
            @Override
            void write(CloudEvent event, HttpRequest.Builder request) {
                request.header("Content-Type", "application/cloudevents-batch+json")
                        .POST(BodyPublishers.ofString("[" + new String(FORMAT.serialize(event), UTF_8) + "]"));
            }
        };

        abstract void write(CloudEvent event, HttpRequest.Builder request);

        private static MessageWriter<?, Void> writer(HttpRequest.Builder request) {
            return HttpMessageFactory.createWriter(
                    request::header,
                    body -> request.POST(body == null ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body)));
        }
    }

    private static HttpResponse<String> send(AggregatorSystem system, Mode mode, CloudEvent event) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(system.api().resolve("/publish"));
        mode.write(event, request);
        return send(request);
    }

    private static HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request.version(HttpClient.Version.HTTP_1_1).build(), BodyHandlers.ofString());
        }
    }

    private static void take(AggregatorSystem system, Mode mode, CloudEvent event) throws Exception {
        HttpResponse<String> response = send(system, mode, event);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    }

    private static CloudEventBuilder event(String topic) {
        return CloudEventBuilder.v1()
                .withId("1")
                .withSource(URI.create("https://shop.example/a?b#c"))
                .withType(topic)
                .withTime(OffsetDateTime.parse("2025-12-08T10:00:00.123456+01:00"));
    }

    private static JsonNode payloadOf(AggregatorSystem system, String topic) {
        system.awaitSettled();
        return TestEvents.tree(system.eventsOf(topic).getFirst().payload());
    }

    @ParameterizedTest
    @EnumSource
    void everyAttributeIsKeptAndTheDataCanBeQueried(Mode mode, AggregatorSystem system) throws Exception {
        String topic = AggregatorSystem.newTopic();
        CloudEvent event = event(topic)
                .withSubject("order-7")
                .withDataSchema(URI.create("https://shop.example/schema"))
                .withExtension("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
                .withData(
                        "application/json", "{\"amount\": 12345678901234567890.10, \"tags\": [\"é\"]}".getBytes(UTF_8))
                .build();
        take(system, mode, event);

        JsonNode payload = payloadOf(system, topic);
        Event stored = system.eventsOf(topic).getFirst();
        assertThat(stored.eventId()).isEqualTo("https://shop.example/a?b#c 1");
        assertThat(stored.source()).isEqualTo("https://shop.example/a?b#c");
        assertThat(stored.timestamp()).isEqualTo(Instant.parse("2025-12-08T09:00:00.123456Z"));
        assertThat(payload).isEqualTo(TestEvents.tree("""
                {"amount": 12345678901234567890.10, "tags": ["é"],
                 "cloudevent": {"specversion": "1.0", "id": "1", "subject": "order-7",
                                "dataschema": "https://shop.example/schema", "datacontenttype": "application/json",
                                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}"""));
        assertThat(system.jdbc()
                        .sql("SELECT event_id FROM events WHERE topic = ? AND payload->>'amount' = ?"
                                + " AND payload->'cloudevent'->>'subject' = 'order-7'")
                        .params(topic, "12345678901234567890.10")
                        .query(String.class)
                        .single())
                .isEqualTo(stored.eventId());
    }

    @Test
    void anEventIsTheSameInEveryMode(AggregatorSystem system) throws Exception {
        String topic = AggregatorSystem.newTopic();
        Books before = system.awaitSettled();
        for (Mode mode : Mode.values()) {
            take(
                    system,
                    mode,
                    event(topic)
                            .withData("application/json", "{}".getBytes(UTF_8))
                            .build());
        }
        Books change = AggregatorSystem.change(before, system.awaitSettled());
        assertThat(change.stored()).isEqualTo(1);
        assertThat(change.duplicates()).isEqualTo(2);
    }

    @Test
    void sourcesThatUseTheSameIdAreNoDuplicates(AggregatorSystem system) throws Exception {
        String topic = AggregatorSystem.newTopic();
        String longId = "x".repeat(300);
        for (String source : List.of("a", "b", "a/b", "urn:a:b")) {
            for (String id : List.of("1", "b 1", " 1", longId)) {
                take(
                        system,
                        Mode.STRUCTURED,
                        event(topic).withSource(URI.create(source)).withId(id).build());
            }
        }
        system.awaitSettled();
        assertThat(system.eventsOf(topic)).hasSize(16);
    }

    @ParameterizedTest
    @EnumSource
    void withoutTimeAnEventHasThatOfItsArrival(Mode mode, AggregatorSystem system) throws Exception {
        String topic = AggregatorSystem.newTopic();
        Instant before = Instant.now().minusMillis(1);
        take(system, mode, event(topic).withTime(null).build());
        system.awaitSettled();
        assertThat(system.eventsOf(topic).getFirst().timestamp()).isBetween(before, Instant.now());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "application/json | [1.10, null] | {'data': [1.10, null]}",
                "application/vnd.shop+json | 7 | {'data': 7}",
                "text/plain | é | {'data': 'é'}",
                "application/octet-stream | é | {'data_base64': 'w6k='}",
            })
    void dataThatIsNoObjectStandsBesideTheAttributes(
            String contentType, String data, String kept, AggregatorSystem system) throws Exception {
        for (Mode mode : Mode.values()) {
            String topic = AggregatorSystem.newTopic();
            take(
                    system,
                    mode,
                    event(topic).withData(contentType, data.getBytes(UTF_8)).build());
            assertThat(payloadOf(system, topic))
                    .as(mode.name())
                    .isEqualTo(TestEvents.tree("{\"cloudevent\": {\"specversion\": \"1.0\", \"id\": \"1\","
                            + " \"datacontenttype\": \"" + contentType + "\", "
                            + kept.replace('\'', '"').substring(1) + "}"));
        }
    }

    private static HttpRequest.Builder binary(AggregatorSystem system, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(system.api().resolve("/publish"))
                .POST(BodyPublishers.ofString("{}"))
                .headers(headers);
        if (Stream.of(headers).noneMatch("Content-Type"::equals)) {
            request.header("Content-Type", "application/json");
        }
        return request;
    }

    /** CloudEvents' HTTP protocol binding, section 3.1.3.2. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Euro%20%E2%82%AC%20%F0%9F%98%80 | Euro € 😀",
                "a%2520b | a%20b",
                "\"quoted \\\"so\\\"\" | quoted \"so\"",
                "%22 | \"",
                "plain/text+1 | plain/text+1",
            })
    void headersArePercentDecodedOnce(String header, String subject, AggregatorSystem system) throws Exception {
        String topic = AggregatorSystem.newTopic();
        HttpResponse<String> response = send(binary(
                system,
                "CE-SpecVersion",
                "1.0",
                "ce-id",
                "1",
                "ce-source",
                "s",
                "ce-type",
                topic,
                "ce-subject",
                header));
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(payloadOf(system, topic).at("/cloudevent/subject").stringValue())
                .isEqualTo(subject);
    }

    private static void assertFaults(HttpResponse<String> response, String... fields) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
        List<String> named = new ArrayList<>();
        TestEvents.tree(response.body())
                .get("errors")
                .forEach(error -> named.add(error.get("field").stringValue()));
        assertThat(named).containsExactly(fields);
    }

    @Test
    void whatIsMissingOrWrongIsNamedAndNothingIsTaken(AggregatorSystem system) throws Exception {
        Books before = system.awaitSettled();
        assertFaults(send(binary(system, "ce-specversion", "1.0")), "id", "source", "type");
        assertFaults(send(binary(system, "ce-id", "1")), "specversion", "source", "type");
        String[] complete = {"ce-specversion", "1.0", "ce-id", "1", "ce-source", "s", "ce-type", "t"};
        assertFaults(send(binary(system, complete).header("ce-id", "2")), "id");
        assertFaults(send(binary(system, complete).header("ce-ext", "%zz")), "ext");
        assertFaults(send(binary(system, complete).header("ce-ext", "%ff")), "ext");
        assertFaults(send(binary(system, complete).header("ce-ext", "%00")), "ext");
        assertFaults(send(binary(system, complete).header("ce-my-ext", "1")), "my-ext");
        assertFaults(send(binary(system, complete).header("ce-data", "1")), "data");
        assertFaults(send(binary(system, complete).header("ce-datacontenttype", "text/plain")), "datacontenttype");
        assertFaults(send(binary(system, complete).header("ce-time", "now")), "time");
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"application/cloudevents+xml", "application/cloudevents", "application/cloudevents-batch+avro"})
    void otherFormatsAreNotTaken(String contentType, AggregatorSystem system) throws Exception {
        HttpResponse<String> response = send(HttpRequest.newBuilder(system.api().resolve("/publish"))
                .header("Content-Type", contentType)
                .POST(BodyPublishers.ofString("{}")));
        assertThat(response.statusCode()).isEqualTo(415);
        assertThat(response.headers().firstValue("Accept").orElse(""))
                .contains("application/cloudevents+json", "application/cloudevents-batch+json");
    }
}
