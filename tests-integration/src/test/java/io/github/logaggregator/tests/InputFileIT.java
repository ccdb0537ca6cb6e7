package io.github.logaggregator.tests;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Events from a file arrive once each, equal to their lines. */
@OwnSystem
class InputFileIT {
    /** Real log lines as events, where somebody has put them beside the project. */
    private static final Path REAL_LOG_LINES =
            AggregatorSystem.ROOT.resolve("../shared/data/loghub-10k.ndjson").normalize();

    @Test
    void tenThousandRealLogLinesAreStoredOnceEachAndEqual(AggregatorSystem system) throws IOException {
        assumeTrue(Files.exists(REAL_LOG_LINES), "there are no real log lines at hand");
        storesEachLineOnceAndEqual(system, REAL_LOG_LINES, 10_000);
    }

    @Test
    void linesOfManyScriptsAreStoredOnceEachAndEqual(AggregatorSystem system, @TempDir Path folder) throws IOException {
        Path file = folder.resolve("lines.ndjson");
        Files.write(
                file,
                IntStream.range(0, 3_000)
                        .mapToObj(i -> """
                                {"topic":"Ünïcode.%1$d","event_id":"行-%2$d","timestamp":"2025-12-08T10:00:00.%3$06dZ",\
                                "source":"😀","payload":{"line %2$d":"%2$d \\"ü\\" \\\\ \\t 日本語","n":%2$d.%3$06d0}}""".formatted(i % 7, i, i * 331))
                        .toList());
        storesEachLineOnceAndEqual(system, file, 3_000);
    }

    private static void storesEachLineOnceAndEqual(AggregatorSystem system, Path file, long lines) throws IOException {
        PublisherRun run = system.runPublisher(
                "--publisher.input=" + file, "--publisher.duplicate-ratio=0.3", "--publisher.batch-size=50");
        assertThat(run.status()).as(run.output()).isZero();

        long sent = Math.round(lines / 0.7);
        assertThat(system.stats().books()).isEqualTo(new Books(sent, lines, sent - lines, 0, 0, 0, 0));
        try (Stream<String> sentLines = Files.lines(file)) {
            assertThat(byKey(system.allEvents("").stream())).isEqualTo(byKey(sentLines.map(InputFileIT::parse)));
        }
    }

    private static Event parse(String line) {
        try {
            return EventParser.parseEvent(line);
        } catch (MalformedJsonException | InvalidEventException e) {
            throw new AssertionError(line, e);
        }
    }

    /** The events, to be compared by their fields, and their payloads as JSON. */
    private static Map<List<String>, List<Object>> byKey(Stream<Event> events) {
        return events.collect(toMap(
                event -> List.of(event.topic(), event.eventId()),
                event -> List.of(event.timestamp(), event.source(), TestEvents.tree(event.payload()))));
    }
}
