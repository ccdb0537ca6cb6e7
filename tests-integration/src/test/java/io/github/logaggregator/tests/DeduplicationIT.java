package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Each (topic, event_id) is stored once, however often and however concurrently it is sent. */
@SharedSystem
class DeduplicationIT {
    @Test
    void tenParallelPostsOfOneEventStoreOneRow(AggregatorSystem system) throws Exception {
        String topic = AggregatorSystem.newTopic();
        Books before = system.stats().books();
        Callable<Integer> post = () ->
                system.publish(TestEvents.json(TestEvents.event(topic, "same"))).statusCode();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Integer> status :
                    threads.invokeAll(IntStream.range(0, 10).mapToObj(i -> post).toList())) {
                assertThat(status.get()).isEqualTo(200);
            }
        }
        Books after = system.awaitSettled();
        assertThat(system.allEvents("?topic=" + topic)).hasSize(1);
        assertThat(after.received() - before.received()).isEqualTo(10);
        assertThat(after.stored() - before.stored()).isEqualTo(1);
        assertThat(after.duplicates() - before.duplicates()).isEqualTo(9);
        assertThat(after.unaccounted()).isZero();
    }

    @Test
    void oneEventIdUnderTwoTopicsIsTwoEvents(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        system.publish(TestEvents.json(List.of(TestEvents.event(topic, "1"), TestEvents.event(topic + "b", "1"))));
        system.awaitSettled();
        assertThat(system.allEvents("?topic=" + topic)).hasSize(1);
        assertThat(system.allEvents("?topic=" + topic + "b")).hasSize(1);
    }

    @Test
    void keysThatDifferOnlyInCaseAccentOrSpaceAreDifferentEvents(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        List<Event> events = List.of("a", "A", "á", "a\u0301", "a ", " a", "ａ").stream()
                .map(id -> TestEvents.event(topic, id))
                .toList();
        system.publish(TestEvents.json(events));
        system.awaitSettled();
        assertThat(system.allEvents("?topic=" + topic)).containsExactlyInAnyOrderElementsOf(events);
    }

    @Test
    void theFirstOfABatchIsStored(AggregatorSystem system) {
        String topic = AggregatorSystem.newTopic();
        Event first = new Event(topic, "1", Instant.EPOCH, "first", "{\"n\":1}");
        Event second = new Event(topic, "1", Instant.EPOCH.plusSeconds(1), "second", "{\"n\":2}");
        system.publish(TestEvents.json(List.of(first, second, second)));
        system.awaitSettled();
        assertThat(system.allEvents("?topic=" + topic)).containsExactly(first);
    }

    @Test
    @Tag("stores")
    @OwnSystem(workers = 2)
    void fourLoopsInTwoWorkersStoreEachOfManyEventsOnceAndCountExactly(AggregatorSystem system) {
        CompletableFuture<PublisherRun> publisher = CompletableFuture.supplyAsync(() -> system.runPublisher(
                "--publisher.count=20000",
                "--publisher.duplicate-ratio=0.35",
                "--publisher.batch-size=20",
                "--publisher.concurrency=16"));
        while (!publisher.isDone()) {
            Books books = system.stats().books();
            assertThat(books.unaccounted()).as("%s", books).isZero();
            assertThat(books.received())
                    .as("%s", books)
                    .isEqualTo(books.stored() + books.duplicates() + books.queued() + books.inFlight());
        }
        assertThat(publisher.join().status()).as(publisher.join().output()).isZero();

        assertThat(system.stats().books()).isEqualTo(new Books(20_000, 13_000, 7_000, 0, 0, 0, 0));
        assertThat(system.stats().workers()).isEqualTo(2);
        List<Event> events = system.allEvents("");
        assertThat(new HashSet<>(events)).hasSize(13_000);
        assertThat(events).hasSize(13_000);
        assertThat(system.workers())
                .allSatisfy(worker -> assertThat(system.settledBy(worker)).isPositive());
    }
}
