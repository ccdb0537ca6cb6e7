package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.tests.RawHttp.Answer;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What no client means to send is refused with a problem detail, also where the server does it before the application. */
@SharedSystem
class SurfaceIT {
    private static final byte[] EVENT =
            TestEvents.json(TestEvents.event("t", "1")).getBytes(UTF_8);
    private static final String JSON = "Content-Type: application/json";

    private static Answer send(AggregatorSystem system, byte[] body, String... head) {
        return RawHttp.exchange(system.api(), RawHttp.request(body, head));
    }

    private static String[] publish(String... headers) {
        return Stream.concat(Stream.of("POST /publish HTTP/1.1"), Stream.of(headers))
                .toArray(String[]::new);
    }

    static List<List<String>> unacceptableHeaders() {
        return List.of(
                IntStream.range(0, 5_000).mapToObj(i -> "x: " + i).toList(),
                IntStream.range(0, 1_500).mapToObj(i -> "ce-a" + i + ": 1").toList(),
                List.of("x".repeat(20_000) + ": 1"),
                List.of("Content-Length: 5", "Content-Length: 6"),
                List.of("Content-Length: -1"),
                List.of("Content-Length: 99999999999999999999"),
                List.of("Content-Length: 9999999999"),
                List.of("Content-Length: five"),
                List.of("Transfer-Encoding: chunked", "Content-Length: 5"),
                List.of("Expect: a miracle"),
                List.of("Host: a", "Host: b"),
                List.of("Host: a/b"),
                List.of("Content-Encoding: gzip, gzip"),
                List.of(": x"),
                List.of("a b: x"),
                List.of("no colon"),
                List.of("x: a\0b"));
    }

    @ParameterizedTest
    @MethodSource("unacceptableHeaders")
    void headersThatCanNotBeAreAProblem(List<String> headers, AggregatorSystem system) {
        Answer answer = send(
                system,
                EVENT,
                publish(Stream.concat(Stream.of(JSON), headers.stream()).toArray(String[]::new)));
        assertThat(answer.status()).as(answer.head()).isBetween(400, 499);
        answer.assertProblem();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/events%2F",
                "/events%2f..%2fstats",
                "/events/..%2fstats",
                "/%2e%2e/%2e%2e/etc/passwd",
                "/..",
                "/../..",
                "/events%00",
                "/events%0a",
                "/events%ff",
                "/events%",
                "/events%2",
                "/events%zz",
                "/events\\",
                "/events%5c",
                "/a|b",
                "/a^b",
                "/a{b}",
                "/a`b",
                "/a\"b",
                "/a<b>",
                "/\u00e9",
                "/a b",
                "/[",
                "//[/",
                "/events;[?limit=0",
                "events",
                "*",
                "",
                "/events#a",
                "/;/x",
                "/dead-letters/%2e%2e/replay",
                "/dead-letters/%2F/replay",
                "/dead-letters/;/replay",
                "/dead-letters/%25/replay",
                "/dead-letters/7%3B/replay",
                "/dead-letters/9999999999999999999/replay",
                "/events?topic=%",
                "/events?topic=%ff",
                "/events?topic=%zz",
                "/events?topic=%00",
                "/events?topic=%ed%a0%80",
                "/events?topic=",
                "/events?limit=%F0%9F%98%80",
                "/events?cursor=%2e%2e",
                "/events?topic=a|b",
                "http://",
                "http://x:y/",
                "//"
            })
    void targetsThatCanNotBeAreAProblem(String target, AggregatorSystem system) {
        for (String method : List.of("GET", "POST", "NONSENSE")) {
            Answer answer = send(system, new byte[0], method + " " + target + " HTTP/1.1", "Content-Length: 0");
            assertThat(answer.status()).as("%s: %s", method, answer).isBetween(400, 499);
            answer.assertProblem();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a/b", "/", "a;b=c", ";", "100%", "%2F", "..", "../..", ".", "a b", "a+b", "a&b=c", "#", "?", "\\",
                "é😀", "\u2028"
            })
    void aTopicMayBeAnyText(String text, AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic() + text;
        Event event = new Event(topic, text, Instant.EPOCH, text, "{}");
        assertThat(system.publish(TestEvents.json(event)).statusCode()).isEqualTo(200);
        system.awaitSettled();
        assertThat(system.eventsOf(topic)).containsExactly(event);
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "post", "PRI", "TRACE", "\u0001", "G(T", "PO ST"})
    void otherVerbsAreAProblem(String verb, AggregatorSystem system) {
        Answer answer = send(system, EVENT, verb + " /publish HTTP/1.1", JSON, "Content-Length: " + EVENT.length);
        assertThat(answer.status()).as(answer.head()).isBetween(400, 499);
        answer.assertProblem();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"x\r\n", "-5\r\nabc", "ffffffffffffffff\r\n", "5\r\n{\"a\"\r\n0\r\n\r\n", "2\r\n{}XX0\r\n\r\n"})
    void chunksThatAreNoneAreAProblem(String chunks, AggregatorSystem system) {
        Answer answer = send(system, chunks.getBytes(ISO_8859_1), publish(JSON, "Transfer-Encoding: chunked"));
        assertThat(answer.status()).as(answer.head()).isBetween(400, 499);
        answer.assertProblem();
    }

    /** What RFC 9110 has a status of its own for, though it begins with a 5. */
    @Test
    void whatTheServerDoesNotKnowOfHttpIsAProblem(AggregatorSystem system) {
        assertThat(send(system, new byte[0], "GET /stats HTTP/3.0")
                        .assertProblem()
                        .status())
                .isEqualTo(505);
        assertThat(send(system, EVENT, publish(JSON, "Transfer-Encoding: none"))
                        .assertProblem()
                        .status())
                .isEqualTo(501);
        assertThat(send(system, new byte[0], "CONNECT /stats HTTP/1.1")
                        .assertProblem()
                        .status())
                .isEqualTo(501);
    }
}
