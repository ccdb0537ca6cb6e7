package io.github.logaggregator.publisher;

import static io.github.logaggregator.publisher.ScriptedAggregator.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import io.github.logaggregator.model.Event;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.propagation.Propagator;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(30)
final class AggregatorClientTest {
    private static final Instant NOW = Instant.parse("2025-12-08T10:00:00Z");
    private static final List<Event> EVENTS = List.of(event("1"), event("2"), event("3"));

    private final Tally tally = new Tally();
    private ScriptedAggregator aggregator;

    @BeforeEach
    void start() throws IOException {
        aggregator = new ScriptedAggregator();
    }

    @AfterEach
    void stop() {
        aggregator.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 429, 500, 502, 503})
    void sendsAgainWhatCouldNotBeTakenForNow(int status) throws Exception {
        aggregator.nextPublish(answer(status, ""), answer(status, ""));

        publish(Duration.ofSeconds(10));

        assertThat(aggregator.events()).isEqualTo(EVENTS);
        assertThat(tally.retries()).isEqualTo(2);
        assertThat(tally.accepted()).isEqualTo(3);
    }

    @Test
    void sendsAgainWhenTheConnectionBreaks() throws Exception {
        aggregator.nextPublish(HttpExchange::close);

        publish(Duration.ofSeconds(10));

        assertThat(aggregator.events()).isEqualTo(EVENTS);
        assertThat(tally.retries()).isEqualTo(1);
    }

    @Test
    void sendsAgainWhenAnAnswerStallsHalfway() throws Exception {
        aggregator.nextPublish(exchange -> {
            exchange.sendResponseHeaders(200, 100);
            OutputStream body = exchange.getResponseBody();
            body.write('{');
            body.flush();
        });

        publish(Duration.ofSeconds(10));

        assertThat(aggregator.publishTimes()).hasSizeGreaterThanOrEqualTo(2);
        assertThat(tally.lastFault()).isEqualTo("no answer within publisher.request-timeout=2s");
    }

    @Test
    void countsWhatMayHaveBeenTakenTwice() throws Exception {
        aggregator.nextPublish(answer(503, ""), aggregator::takeWithoutAnswer, answer(429, ""), answer(408, ""));

        publish(Duration.ofSeconds(10));

        assertThat(tally.retries()).isEqualTo(4);
        assertThat(tally.maybeTakenTwice()).isEqualTo(6);
    }

    @Test
    void waitsAsLongAsRetryAfterSays() throws Exception {
        aggregator.nextPublish(answer(429, "", "Retry-After", "1"));

        publish(Duration.ofSeconds(10));

        assertThat(waitBeforeTheSecondAttempt()).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void waitsUntilTheDateThatRetryAfterSays() throws Exception {
        String date =
                DateTimeFormatter.RFC_1123_DATE_TIME.format(NOW.plusSeconds(1).atZone(ZoneOffset.UTC));
        aggregator.nextPublish(answer(503, "", "Retry-After", date));

        publish(Duration.ofSeconds(10));

        assertThat(waitBeforeTheSecondAttempt()).isGreaterThanOrEqualTo(Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"soon", "-5", "Mon, 08 Dec 2025 09:00:00 GMT", "99999999999999999999"})
    void doesNotStumbleOverARetryAfterThatMakesNoSense(String value) throws Exception {
        aggregator.nextPublish(answer(503, "", "Retry-After", value));

        publish(Duration.ofSeconds(10));

        assertThat(aggregator.events()).isEqualTo(EVENTS);
    }

    @ParameterizedTest
    @ValueSource(ints = {201, 302, 400, 404, 413, 422})
    void neverRetriesAnEventThatWasRefused(int status) {
        aggregator.everyPublish(answer(status, "<html>no</html>"));

        assertThatThrownBy(() -> publish(Duration.ofSeconds(10)))
                .isInstanceOf(RunFailedException.class)
                .hasMessage("POST " + aggregator.target() + "/publish was refused: HTTP " + status);
        assertThat(aggregator.publishTimes()).hasSize(1);
    }

    @Test
    void givesUpWhenTheTimeForRetriesIsOver() {
        aggregator.everyPublish(answer(503, "{\"detail\": \"Redis is away.\"}"));
        long start = System.nanoTime();

        assertThatThrownBy(() -> publish(Duration.ofMillis(900)))
                .isInstanceOf(RunFailedException.class)
                .hasMessageMatching("Gave up on POST http://.*/publish after \\d+ attempts "
                        + "\\(publisher\\.retry-for=0\\.9s\\): HTTP 503: Redis is away\\.");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(aggregator.publishTimes()).hasSizeGreaterThan(1);
    }

    @Test
    void givesUpAtOnceWhenToldToWaitLongerThanThereIsTime() {
        aggregator.everyPublish(answer(429, "", "Retry-After", "3600"));

        assertThatThrownBy(() -> publish(Duration.ofSeconds(5))).isInstanceOf(RunFailedException.class);
        assertThat(aggregator.publishTimes()).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "null", "{}", "<html></html>", "{\"status\":\"queued\",\"accepted\":2}"})
    void takesNoAnswerForATakingThatDoesNotSaySo(String body) {
        aggregator.everyPublish(answer(200, body));

        assertThatThrownBy(() -> publish(Duration.ofSeconds(5))).isInstanceOf(RunFailedException.class);
        assertThat(tally.accepted()).isZero();
    }

    private void publish(Duration retryFor) throws InterruptedException, NoSuchAlgorithmException {
        PublisherProperties properties = new PublisherProperties(
                aggregator.target() + "/",
                "",
                null,
                1,
                BigDecimal.ZERO,
                List.of("orders"),
                0,
                null,
                null,
                3,
                1,
                0,
                Duration.ofSeconds(2),
                Duration.ofSeconds(2),
                retryFor,
                Duration.ZERO,
                Duration.ZERO);
        try (AggregatorClient client = new AggregatorClient(
                properties,
                tally,
                InstantSource.fixed(NOW),
                new AggregatorClient.Tracing(Tracer.NOOP, Propagator.NOOP),
                SSLContext.getDefault())) {
            client.publish(EVENTS);
        }
    }

    private Duration waitBeforeTheSecondAttempt() {
        List<Long> times = aggregator.publishTimes();
        return Duration.ofNanos(times.get(1) - times.get(0));
    }

    private static Event event(String id) {
        return new Event("orders", id, NOW, "test", "{}");
    }
}
