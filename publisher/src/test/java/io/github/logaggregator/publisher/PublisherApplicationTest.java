package io.github.logaggregator.publisher;

import static io.github.logaggregator.publisher.ScriptedAggregator.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventJson;
import io.github.logaggregator.model.PublishRequest;
import io.github.logaggregator.model.Stats.Books;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
@Timeout(60)
final class PublisherApplicationTest {
    private ScriptedAggregator aggregator;

    @BeforeEach
    void start() throws IOException {
        aggregator = new ScriptedAggregator();
    }

    @AfterEach
    void stop() {
        aggregator.close();
    }

    @Test
    void sendsExactlyTheShareOfDuplicates(CapturedOutput output) {
        assertThat(publish()).isZero();

        assertThat(aggregator.events()).hasSize(1000);
        assertThat(new HashSet<>(aggregator.events())).hasSize(700);
        assertThat(identities(aggregator.events())).hasSize(700);
        assertThat(output).contains("OK: the books balance.").doesNotContain("Others were publishing");
    }

    @Test
    void sendsWellOverFiveEventsOfEachTopic() {
        publish();

        assertThat(aggregator.events().stream().distinct().collect(Collectors.groupingBy(Event::topic)))
                .containsKey("orders")
                .allSatisfy((topic, events) -> assertThat(events).hasSizeGreaterThan(50));
    }

    @Test
    void sendsFreshEventsInEachRun() {
        assertThat(publish("--publisher.count=100")).isZero();
        assertThat(publish("--publisher.count=100")).isZero();

        assertThat(identities(aggregator.events())).hasSize(140);
    }

    @Test
    void sameSeedSendsTheSameEvents() throws IOException {
        String[] options = {"--publisher.seed=7", "--publisher.count=100", "--publisher.concurrency=1"};
        assertThat(publish(options)).isZero();
        List<Event> first = aggregator.events();
        try (ScriptedAggregator other = new ScriptedAggregator()) {
            assertThat(PublisherApplication.run(with(other.target(), options))).isZero();
            assertThat(other.events()).isEqualTo(first);
        }
    }

    @Test
    void aSecondRunWithTheSameSeedIsNoFault(CapturedOutput output) {
        assertThat(publish("--publisher.seed=7", "--publisher.count=100")).isZero();
        assertThat(publish("--publisher.seed=7", "--publisher.count=100")).isZero();

        assertThat(identities(aggregator.events())).hasSize(70);
        assertThat(output).doesNotContain("FAILED");
    }

    @Test
    void sendsOneObjectOrBatchesOfTheSizeAskedFor() {
        assertThat(publish("--publisher.count=7")).isZero();
        assertThat(aggregator.requests()).hasSize(7).allMatch(PublishRequest::single);

        assertThat(publish("--publisher.count=25", "--publisher.batch-size=10", "--publisher.concurrency=1"))
                .isZero();
        assertThat(aggregator.requests().subList(7, 10))
                .extracting(request -> request.events().size())
                .containsExactly(10, 10, 5);
    }

    @Test
    void sendsNoFasterThanTheRateAndEvenly() {
        assertThat(publish("--publisher.count=120", "--publisher.rate=100")).isZero();

        List<Long> times = aggregator.publishTimes();
        assertThat(times).hasSize(120);
        assertThat(Duration.ofNanos(times.get(119) - times.get(0))).isGreaterThan(Duration.ofMillis(800));
        assertThat(Duration.ofNanos(times.get(75) - times.get(25))).isGreaterThan(Duration.ofMillis(250));
    }

    @Test
    void makesPayloadsOfTheSizeAskedFor() {
        assertThat(publish("--publisher.count=10", "--publisher.payload-size=500"))
                .isZero();

        assertThat(aggregator.events())
                .allSatisfy(event -> assertThat(event.payload()).hasSize(500));
    }

    @Test
    void sendsEachEventOfTheInputAndTheShareOfDuplicates(@TempDir Path folder) throws IOException {
        List<Event> events = events(700);
        Path file = Files.write(folder.resolve("events.ndjson"), lines(events));

        assertThat(publish("--publisher.input=" + file, "--publisher.batch-size=50"))
                .isZero();

        assertThat(aggregator.events()).hasSize(1000);
        assertThat(new HashSet<>(aggregator.events())).isEqualTo(new HashSet<>(events));
    }

    @Test
    void namesTheLineThatIsNoEvent(@TempDir Path folder, CapturedOutput output) throws IOException {
        List<String> lines = new ArrayList<>(lines(events(3)));
        lines.add("");
        lines.add("{\"topic\":\"orders\",\"event_id\":\"\",\"timestamp\":\"2025-12-08T10:00:00Z\",\"source\":\"app\"}");
        Path file = Files.write(folder.resolve("events.ndjson"), lines);

        assertThat(publish("--publisher.input=" + file)).isEqualTo(PublisherRun.FAILED);

        assertThat(output)
                .contains("FAILED: " + file
                        + ", line 5: event_id must have 1 to 255 characters, not 0; payload is missing")
                .doesNotContain("Exception");
    }

    @Test
    void namesTheLineThatIsNotUtf8(@TempDir Path folder, CapturedOutput output) throws IOException {
        Path file =
                Files.write(folder.resolve("events.ndjson"), new byte[] {'\n', '{', '"', (byte) 0xFF, '"', '}', '\n'});

        assertThat(publish("--publisher.input=" + file)).isEqualTo(PublisherRun.FAILED);

        assertThat(output).contains("line 2: The text is not valid UTF-8.");
    }

    @Test
    void waitsForTheApiAndSaysSo(CapturedOutput output) {
        aggregator.nextReadiness(answer(503, "{\"status\":\"OUT_OF_SERVICE\"}"), answer(503, ""));

        assertThat(publish("--publisher.count=10")).isZero();

        assertThat(output).containsOnlyOnce("Waiting up to 2m for " + aggregator.target() + " to be ready: HTTP 503");
    }

    @Test
    void endsWithAClearLineWhenTheApiIsNeverReady(CapturedOutput output) {
        aggregator.close();

        assertThat(publish("--publisher.wait-for-api=300ms")).isEqualTo(PublisherRun.FAILED);

        assertThat(output)
                .contains("FAILED: " + aggregator.target()
                        + " was not ready within publisher.wait-for-api=0.3s: no connection");
    }

    @Test
    void showsWhyEventsWereRefusedAndSendsNoMore(CapturedOutput output) {
        aggregator.everyPublish(answer(422, """
                {"title": "Unprocessable Content", "detail": "The request holds invalid events.",
                 "errors": [{"index": 1, "field": "source", "message": "must be a string"}]}"""));

        assertThat(publish("--publisher.concurrency=2", "--publisher.batch-size=10"))
                .isEqualTo(PublisherRun.FAILED);

        assertThat(output)
                .containsPattern(
                        "FAILED: POST http://.*/publish was refused: HTTP 422: The request holds invalid events.")
                .containsPattern("event [0-9a-f-]{36} of [a-z-]+: source must be a string");
        assertThat(aggregator.publishTimes()).hasSizeLessThan(10);
    }

    @Test
    void endsSoonAfterARefusalThoughOtherRequestsWaitForTheirNextAttempt() {
        aggregator.nextPublish(answer(429, "", "Retry-After", "100"), answer(422, ""));
        long start = System.nanoTime();

        assertThat(publish("--publisher.concurrency=2", "--publisher.count=10")).isEqualTo(PublisherRun.FAILED);

        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(20));
    }

    @Test
    void waitsUntilTheQueueIsDrained(CapturedOutput output) {
        AtomicInteger questions = new AtomicInteger();
        aggregator.cook(books -> questions.incrementAndGet() < 4 && books.received() > 0
                ? new Books(books.received(), books.stored() - 2, books.duplicates(), 0, 1, 1, 0)
                : books);

        assertThat(publish("--publisher.count=10")).isZero();

        assertThat(questions).hasValue(4);
        assertThat(output).contains("OK: the books balance.");
    }

    @Test
    void failsWhenEventsAreUnaccountedFor(CapturedOutput output) {
        aggregator.cook(books -> books(books.received(), books.stored() - 1, books.duplicates(), 1));

        assertThat(publish("--publisher.count=10")).isEqualTo(PublisherRun.FAILED);

        assertThat(output).contains("FAILED: the books don't balance: unaccounted is 1, not 0");
    }

    @Test
    void failsWhenTheQueueIsNotDrainedInTime(CapturedOutput output) {
        aggregator.cook(books -> books.received() == 0
                ? books
                : new Books(books.received(), books.stored() - 2, books.duplicates(), 0, 2, 0, 0));

        assertThat(publish("--publisher.count=10", "--publisher.wait-for-drain=300ms"))
                .isEqualTo(PublisherRun.FAILED);

        assertThat(output)
                .contains("FAILED: the queue was not drained within publisher.wait-for-drain: 2 queued, 0 in flight");
    }

    @Test
    void countsNoLostAnswerAsAFault(CapturedOutput output) {
        aggregator.nextPublish(aggregator::takeWithoutAnswer);

        assertThat(publish("--publisher.count=10")).isZero();

        assertThat(aggregator.events()).hasSize(11);
        assertThat(output)
                .contains("Answers were lost: received and duplicates may be higher than sent by up to 1.")
                .doesNotContain("Others were publishing")
                .contains("OK: the books balance.");
    }

    @Test
    void refusesBadOptionsWithALineEach(CapturedOutput output) {
        assertThat(publish("--publisher.duplicate-ratio=1", "--publisher.count=0"))
                .isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(output.getErr().lines())
                .containsExactly(
                        "--publisher.count=0 must be greater than 0",
                        "--publisher.duplicate-ratio=1 must be less than 1");
        assertThat(output.getOut()).isEmpty();
    }

    @Test
    void sendsItsKeyWithEachRequestAndTellsItNobody(CapturedOutput output, @TempDir Path secrets) throws IOException {
        assertThat(publish("--publisher.count=10")).isZero();
        assertThat(aggregator.authorizations()).containsExactly("");

        Files.writeString(secrets.resolve("publisher.key"), "agg_of-a-file\n");
        assertThat(publish("--publisher.count=10", "--spring.config.import=configtree:" + secrets + "/"))
                .isZero();
        assertThat(publish("--publisher.count=10", "--publisher.key=agg_given")).isZero();
        assertThat(aggregator.authorizations())
                .containsExactlyInAnyOrder("", "Bearer agg_of-a-file", "Bearer agg_given");

        assertThat(publish("--publisher.key=agg_with a blank")).isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(output).contains("--publisher.key=… is no key").doesNotContain("agg_");
    }

    @Test
    void refusesOptionsThatItDoesNotKnow(CapturedOutput output) {
        assertThat(publish("--publisher.cuont=5")).isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(publish("--count=5")).isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(publish("5")).isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(publish("--publisher.count=many")).isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(publish("--publisher.ssl-bundle=mine")).isEqualTo(PublisherRun.BAD_OPTIONS);
        assertThat(publish("--publisher.input=no-such-file")).isEqualTo(PublisherRun.BAD_OPTIONS);

        assertThat(output.getErr().lines())
                .containsExactly(
                        "--publisher.cuont is no option",
                        "--count is no option; they are written like --publisher.count=1000",
                        "5 is no option; they are written like --publisher.count=1000",
                        "--publisher.count=many can't be read as long",
                        "--publisher.ssl-bundle=mine names no bundle below spring.ssl.bundle");
        assertThat(output.getOut().lines()).containsExactly("FAILED: publisher.input: there is no file no-such-file");
    }

    @Test
    void stopsSoonWhenTerminatedAndSaysHowFarItGot() throws Exception {
        Process process = new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        PublisherApplication.class.getName(),
                        "--publisher.target=" + aggregator.target(),
                        "--publisher.count=1000000",
                        "--publisher.rate=200")
                .redirectErrorStream(true)
                .start();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).startsWith("Sending to");
            await().until(() -> aggregator.events().size() >= 10);

            process.toHandle().destroy();

            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(143);
            assertThat(lines.lines().toList())
                    .singleElement()
                    .asString()
                    .matches("Stopped before the end: \\d+ events had been accepted, in \\d+ requests\\.");
        } finally {
            process.destroyForcibly();
        }
    }

    private int publish(String... options) {
        return PublisherApplication.run(with(aggregator.target(), options));
    }

    private static String[] with(String target, String... options) {
        return Stream.concat(Stream.of("--publisher.target=" + target), Arrays.stream(options))
                .toArray(String[]::new);
    }

    private static Books books(long received, long stored, long duplicates, long unaccounted) {
        return new Books(received, stored, duplicates, 0, 0, 0, unaccounted);
    }

    private static List<List<String>> identities(List<Event> events) {
        return events.stream()
                .map(event -> List.of(event.topic(), event.eventId()))
                .distinct()
                .toList();
    }

    private static List<Event> events(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new Event(
                        "zürich", "id-" + i, Instant.EPOCH, "test", "{\"n\":1" + i + ".10,\"s\":\"\\u00e9 🙂\"}"))
                .toList();
    }

    private static List<String> lines(List<Event> events) {
        return events.stream()
                .map(event -> new String(EventJson.write(event), StandardCharsets.UTF_8))
                .toList();
    }
}
