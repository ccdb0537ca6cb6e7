package io.github.logaggregator.api;

import io.github.logaggregator.api.BooksReader.Reading;
import io.github.logaggregator.api.EventStoreTotals.Counts;
import io.github.logaggregator.model.Stats;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** {@code GET /stats}: the books. */
@RestController
class StatsController {
    private final BooksReader books;
    private final Clock clock;
    private final Instant startedAt;

    StatsController(BooksReader books, Clock clock) {
        this.books = books;
        this.clock = clock;
        this.startedAt = clock.instant();
    }

    @GetMapping(path = "/stats", produces = MediaType.APPLICATION_JSON_VALUE)
    Stats stats() {
        Reading reading = books.read();
        return Stats.of(
                reading.books(),
                reading.queue(),
                storedByTopic(reading.totals().topics()),
                reading.snapshot().workers().size(),
                Duration.between(startedAt, clock.instant()).toSeconds());
    }

    private static Map<String, Long> storedByTopic(Map<String, Counts> topics) {
        Map<String, Long> storedByTopic = new TreeMap<>();
        topics.forEach((topic, counts) -> {
            if (counts.stored() > 0) {
                storedByTopic.put(topic, counts.stored());
            }
        });
        return storedByTopic;
    }
}
