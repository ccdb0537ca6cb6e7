package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;

import io.restassured.config.EncoderConfig;
import io.restassured.config.RestAssuredConfig;
import io.restassured.http.ContentType;
import io.restassured.http.Method;
import io.restassured.response.Response;
import java.io.IOException;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every error is a problem detail (RFC 9457), whoever refuses, and tells nothing of the implementation. */
@SharedSystem
class ErrorsIT {
    private static final String EVENT = TestEvents.json(TestEvents.event("t", "1"));

    private static void assertProblem(Response response, int status) {
        response.then()
                .statusCode(status)
                .contentType("application/problem+json")
                .body("status", equalTo(status));
        assertTellsNothing(response.asString() + response.headers());
    }

    private static void assertTellsNothing(String answer) {
        assertThat(answer)
                .doesNotContainIgnoringCase("exception")
                .doesNotContainIgnoringCase("logaggregator")
                .doesNotContainIgnoringCase("tomcat")
                .doesNotContainIgnoringCase("springframework")
                .doesNotContainIgnoringCase("jackson")
                .doesNotContain("java.", "\tat ", "<html");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[1,", "nope", "{\"topic\": \"a\"", "{'topic': 'a'}", "\u0000", "{\"a\":NaN}"})
    void malformedJsonIs400(String body, AggregatorSystem system) {
        Response response = system.publish(body);
        assertProblem(response, 400);
        response.then().body("detail", containsString("line 1, column ")).body("instance", equalTo("/publish"));
    }

    @Test
    void textThatIsNoUtf8Is400(AggregatorSystem system) {
        assertProblem(
                system.http()
                        .header("Content-Type", "application/json")
                        .body(new byte[] {'"', (byte) 0xE9, '"'})
                        .post("/publish"),
                400);
    }

    @Test
    void eachFaultOfABatchIsNamedAndNothingIsTaken(AggregatorSystem system) {
        var before = system.awaitSettled();
        Response response =
                system.publish("[" + EVENT + ", {\"topic\": \"\", \"event_id\": \"1\", \"source\": \"s\", \"extra\": 1,"
                        + " \"timestamp\": \"yesterday\", \"payload\": {\"a\": 1, \"a\": 2}}, 5]");
        assertProblem(response, 422);
        response.then()
                .body("errors", hasSize(5))
                .body("errors.index", equalTo(List.of(1, 1, 1, 1, 2)))
                .body("errors.field", equalTo(List.of("topic", "extra", "timestamp", "payload", "")))
                .body("detail", containsString("5 faults"));
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "[]",
                "{\"events\": []}",
                "null",
                "\"event\"",
                "{\"topic\":\"t\",\"event_id\":\"id\\ud800\",\"timestamp\":\"2025-12-08T10:00:00Z\",\"source\":\"s\",\"payload\":{}}",
                "{\"topic\":\"t\",\"event_id\":\"id\\u0000\",\"timestamp\":\"2025-12-08T10:00:00Z\",\"source\":\"s\",\"payload\":{}}",
                "{\"topic\":\"t\",\"event_id\":\"1\",\"timestamp\":\"2025-12-08T10:00:00Z\",\"source\":\"s\",\"payload\":[]}",
                "{\"topic\":\"t\",\"event_id\":\"1\",\"timestamp\":\"2025-12-08T10:00:00Z\",\"source\":\"s\",\"payload\":{\"n\":1e131071}}",
                "{\"topic\":\"t\",\"event_id\":\"1\",\"timestamp\":\"2025-12-08T10:00:00Z\",\"source\":\"s\",\"payload\":{\"s\":\"\\udc00\"}}"
            })
    void anInvalidEventIs422(String body, AggregatorSystem system) {
        Response response = system.publish(body);
        assertProblem(response, 422);
        assertThat(response.jsonPath().getList("errors")).isNotEmpty();
    }

    @Test
    void nestingBeyondAllMeasureIs422(AggregatorSystem system) {
        assertProblem(system.publish("[".repeat(1_000_000)), 422);
        assertProblem(system.publish(EVENT.replace("500", "[".repeat(5_000) + "]".repeat(5_000))), 422);
    }

    @Test
    void anotherMethodIs405(AggregatorSystem system) {
        for (Method method : new Method[] {Method.GET, Method.PUT, Method.DELETE, Method.PATCH}) {
            Response response = system.http().request(method, "/publish");
            assertProblem(response, 405);
            assertThat(response.header("Allow")).isEqualTo("POST");
        }
        assertProblem(system.http().noContentType().post("/events"), 405);
        assertProblem(system.http().request("TRACE", "/publish"), 405);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "application/xml"})
    void anotherContentTypeIs415(String contentType, AggregatorSystem system) {
        // REST Assured would make a form of the second.
        EncoderConfig asText = EncoderConfig.encoderConfig().encodeContentTypeAs(contentType, ContentType.TEXT);
        assertProblem(
                system.http()
                        .config(RestAssuredConfig.config().encoderConfig(asText))
                        .contentType(contentType)
                        .body(EVENT)
                        .post("/publish"),
                415);
    }

    @Test
    void aPathThatIsNotThereIs404(AggregatorSystem system) {
        assertProblem(system.http().get("/nothing"), 404);
        assertProblem(system.http().get("/events/"), 404);
        assertProblem(system.http().urlEncodingEnabled(false).get("/ev%2Fents"), 404);
        assertProblem(system.http().get("/error"), 404);
        assertProblem(system.http().get("/actuator/env"), 404);
        assertProblem(system.http().urlEncodingEnabled(false).get("/actuator/health/readiness%2F"), 404);
    }

    @Test
    void anAnswerThatCannotBeGivenIs406(AggregatorSystem system) {
        assertProblem(system.http().accept("text/html").get("/events"), 406);
        assertProblem(system.http().accept("application/yaml").get("/stats"), 406);
        for (String nonsense : List.of("", "x", "text/", "/")) {
            assertProblem(system.http().header("Accept", nonsense).get("/actuator/prometheus"), 406);
        }
    }

    /** What the server refuses before the application sees it. */
    enum Unreadable {
        REQUEST_LINE("GET /a b HTTP/1.1", "Host: x"),
        TARGET("GET /events?topic=a|b HTTP/1.1", "Host: x"),
        ESCAPE("GET /ev%zzents HTTP/1.1", "Host: x"),
        NO_HOST("GET /events HTTP/1.1"),
        HEADERS("GET /events HTTP/1.1", "Host: x", "X: " + "x".repeat(20_000)),
        CHUNK("POST /publish HTTP/1.1", "Host: x", "Content-Type: application/json", "Transfer-Encoding: chunked");

        private final String request;

        Unreadable(String... head) {
            this.request = String.join("\r\n", head) + "\r\nConnection: close\r\n\r\nno chunk\r\n";
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIsNoHttpIsAProblemToo(Unreadable unreadable, AggregatorSystem system) throws IOException {
        try (Socket socket = new Socket(system.api().getHost(), system.api().getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(unreadable.request.getBytes(UTF_8));
            String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
            assertThat(answer)
                    .startsWith("HTTP/1.1 400")
                    .containsIgnoringCase("content-type: application/problem+json")
                    .contains("\"status\":400");
            assertTellsNothing(answer);
        }
    }
}
