package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueEntry;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.Stats.Books;
import io.github.logaggregator.model.TraceParent;
import io.github.logaggregator.tests.SpanReceiver.Received;
import io.opentelemetry.proto.trace.v1.Span.SpanKind;
import io.restassured.specification.RequestSpecification;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A trace leads from a publisher through the queue to the settlement of its events, and is in nobody's way. */
@OwnSystem(apis = 0, workers = 0)
class TracingIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String PARENT = "00f067aa0ba902b7";

    private static AggregatorSystem system;
    private static SpanReceiver receiver;
    private static ServiceProcess api;
    private static ServiceProcess worker;

    @BeforeAll
    static void start(AggregatorSystem own) {
        system = own;
        receiver = new SpanReceiver(0);
        LaunchOptions traced = LaunchOptions.defaults().withArguments(receiver.options());
        api = system.startApi(traced);
        worker = system.startWorker(traced);
    }

    @AfterAll
    static void stop() {
        // While there is still somebody who takes the last spans.
        worker.stop();
        api.stop();
        receiver.close();
    }

    /** Publishes some events, in a request with the given traceparent, and gives their lines of the queue. */
    private static List<byte[]> lines(ServiceProcess by, @Nullable String traceparent, List<Event> events) {
        worker.pause();
        try {
            RequestSpecification request =
                    system.http().baseUri(by.uri().toString()).header("Content-Type", "application/json");
            if (traceparent != null) {
                request.header("traceparent", traceparent);
            }
            request.body(TestEvents.json(events).getBytes(StandardCharsets.UTF_8))
                    .post("/publish")
                    .then()
                    .statusCode(200);
            List<String> entries = new ArrayList<>(system.redis().lrange(KEYS.queue(), 0, -1));
            for (String claim : system.redis().keys(KEYS.claimPrefix() + "*")) {
                entries.addAll(system.redis().lrange(claim, 0, -1));
            }
            return entries.stream()
                    .flatMap(entry -> QueueEntry.lines(entry.getBytes(StandardCharsets.UTF_8)).stream())
                    .filter(line -> new String(line, StandardCharsets.UTF_8)
                            .contains("\"" + events.getFirst().topic() + "\""))
                    .toList();
        } finally {
            worker.resume();
        }
    }

    private static String transport(byte[] line) {
        return new String(line, StandardCharsets.UTF_8).replaceAll("[{].*", "");
    }

    private static boolean is(Received span, String service, SpanKind kind) {
        return span.service().equals(service) && span.span().getKind() == kind;
    }

    @Test
    void leadsFromThePublisherToTheSettlement() {
        String[] options = Stream.concat(
                        Stream.of(receiver.options()),
                        Stream.of("--publisher.count=10", "--publisher.batch-size=5", "--publisher.topics=traced"))
                .toArray(String[]::new);
        system.awaitSettled();
        PublisherRun run = system.runPublisher(options);
        assertThat(run.status()).as(run.output()).isZero();

        List<Received> requests = receiver.await(2, span -> is(span, "publisher", SpanKind.SPAN_KIND_CLIENT));
        assertThat(requests).hasSize(2).allSatisfy(request -> {
            assertThat(request.parentId()).isEmpty();
            assertThat(request.attributes())
                    .containsEntry("http.request.method", "POST")
                    .containsEntry("http.response.status_code", 200L);
            Received served = receiver.await(
                            1,
                            span -> is(span, "aggregator-api", SpanKind.SPAN_KIND_SERVER)
                                    && span.parentId().equals(request.spanId()))
                    .getFirst();
            assertThat(served.traceId()).isEqualTo(request.traceId());
            Received settled = receiver.await(
                            1,
                            span -> is(span, "aggregator-worker", SpanKind.SPAN_KIND_CONSUMER)
                                    && span.isLinkedTo(served))
                    .getFirst();
            // It may be a settlement of both requests, so it belongs to neither's trace.
            assertThat(settled.traceId()).isNotEqualTo(request.traceId());
            assertThat(settled.parentId()).isEmpty();
            assertThat(settled.attributes())
                    .containsEntry("messaging.system", "redis")
                    .containsEntry("messaging.destination.name", KEYS.queue())
                    .containsEntry("messaging.operation.type", "process")
                    .containsKey("aggregator.claim.id");
            assertThat(settled.number("aggregator.events.stored") + settled.number("aggregator.events.duplicate"))
                    .isEqualTo(settled.number("messaging.batch.message_count"));
        });
    }

    @Test
    void goesOnFromWhereAProducerBeganIt() {
        assertGoesOn();
    }

    private static void assertGoesOn() {
        String trace = UUID.randomUUID().toString().replace("-", "");
        List<byte[]> lines = lines(
                api,
                "00-" + trace + "-" + PARENT + "-01",
                TestEvents.events(AggregatorSystem.newTopic(), QueueEntry.MAX_EVENTS + 1));
        Received served =
                receiver.await(1, span -> span.traceId().equals(trace)).getFirst();
        assertThat(served.parentId()).isEqualTo(PARENT);
        assertThat(lines)
                .hasSize(QueueEntry.MAX_EVENTS + 1)
                .allSatisfy(line ->
                        assertThat(QueuedEvent.traceParent(line)).isEqualTo(new TraceParent(trace, served.spanId())));
        receiver.await(1, span -> span.isLinkedTo(served));
    }

    /** In a request of its own each, but in one command of Redis and one entry, perhaps. */
    @Test
    void isThatOfItsOwnRequestForEachEvent() {
        List<String> traces = Stream.iterate(1, i -> i + 1)
                .limit(20)
                .map(i -> "%032x".formatted(0xabc000 + i))
                .toList();
        String topic = AggregatorSystem.newTopic();
        traces.parallelStream()
                .forEach(trace -> system.http()
                        .header("Content-Type", "application/json")
                        .header("traceparent", "00-" + trace + "-" + PARENT + "-01")
                        .body(TestEvents.json(TestEvents.event(topic, trace)))
                        .post("/publish")
                        .then()
                        .statusCode(200));
        for (String trace : traces) {
            Received served = receiver.await(
                            1,
                            span -> span.traceId().equals(trace)
                                    && span.service().equals("aggregator-api"))
                    .getFirst();
            receiver.await(1, span -> span.isLinkedTo(served));
        }
    }

    @Test
    void leavesNothingBehindWhereTheProducerDoesNotSampleIt() {
        String topic = AggregatorSystem.newTopic();
        String notSampled = "4bf92f3577b34da6a3ce929d0e0e4737";
        assertThat(lines(api, "00-" + notSampled + "-" + PARENT + "-00", TestEvents.events(topic, 2)))
                .hasSize(2)
                .allSatisfy(line -> assertThat(transport(line)).matches("\\d{13} - - "));
        system.awaitSettled();
        // What comes after it is there, so it would be, too.
        assertGoesOn();
        assertThat(receiver.spans()).noneMatch(span -> span.traceId().equals(notSampled));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/livez", "/readyz", "/actuator/health/readiness", "/actuator/prometheus"})
    void isNotOfWhoLooksAtHealthOrMetrics(String path) {
        String trace = UUID.randomUUID().toString().replace("-", "");
        system.http()
                .header("traceparent", "00-" + trace + "-" + PARENT + "-01")
                .get(path)
                .then()
                .statusCode(200);
        assertGoesOn();
        assertThat(receiver.spans()).noneMatch(span -> span.traceId().equals(trace));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 {\"topic\":\"x\"}",
                "00-00000000000000000000000000000000-0000000000000000-01",
                "00-4bf92f3577b34da6a3ce929d0e0e473 -00f067aa0ba902b7-01",
                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-äöü92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "' OR 1=1; --"
            })
    void isANewOneForAnyOtherHeader(String traceparent) {
        String topic = AggregatorSystem.newTopic();
        assertThat(lines(api, traceparent, TestEvents.events(topic, 1)))
                .singleElement()
                .satisfies(line -> {
                    assertThat(transport(line)).matches("\\d{13} - 00-[0-9a-f]{32}-[0-9a-f]{16}-01 ");
                    assertThat(QueuedEvent.decode(line).event()).isEqualTo(TestEvents.event(topic, "0"));
                });
        system.awaitSettled();
        assertThat(system.eventsOf(topic)).hasSize(1);
    }

    @Test
    void isNotThereByDefault() {
        try (SpanReceiver untouched = new SpanReceiver(0)) {
            ServiceProcess plain = system.startApi(LaunchOptions.defaults()
                    .withArguments("--management.opentelemetry.tracing.export.otlp.endpoint=http://127.0.0.1:"
                            + untouched.port() + "/v1/traces"));
            String topic = AggregatorSystem.newTopic();
            assertThat(lines(plain, "00-" + TRACE + "-" + PARENT + "-01", TestEvents.events(topic, 3)))
                    .hasSize(3)
                    .allSatisfy(line -> assertThat(transport(line)).matches("\\d{13} - - "));
            assertThat(system.metrics(plain)).doesNotContain("http_server_requests");
            plain.stop();
            assertThat(untouched.requests()).isZero();
        }
    }

    @Test
    void isLostWhileItsReceiverIsAwayAndNothingElseIs() {
        Books before = system.awaitSettled();
        int port = receiver.port();
        receiver.close();
        for (int i = 0; i < 30; i++) {
            system.publish(TestEvents.json(TestEvents.events(AggregatorSystem.newTopic(), 10)))
                    .then()
                    .statusCode(200);
        }
        assertThat(AggregatorSystem.change(before, system.awaitSettled()))
                .isEqualTo(new Books(300, 300, 0, 0, 0, 0, 0));
        List<ServiceProcess> services = List.of(api, worker);
        for (ServiceProcess service : services) {
            Awaitility.await().until(() -> service.log().contains("does not take them"));
        }

        receiver = new SpanReceiver(port);
        assertGoesOn();
        for (ServiceProcess service : services) {
            Awaitility.await().until(() -> service.log().contains("takes them again"));
            assertThat(service.log().lines().filter(line -> line.contains("spans")))
                    .hasSize(2);
            assertThat(service.log()).doesNotContain("Exception in", "\tat ");
        }
    }
}
