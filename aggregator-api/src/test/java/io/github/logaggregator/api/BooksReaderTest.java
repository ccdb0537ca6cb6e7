package io.github.logaggregator.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.api.EventQueueStatistics.Snapshot;
import io.github.logaggregator.api.EventStoreTotals.Totals;
import io.github.logaggregator.model.Stats.Books;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each case is a moment at which Redis is read, and one at which PostgreSQL is, with what moved in between. */
class BooksReaderTest {
    private static Books books(Snapshot queue, Totals store) {
        Books books = BooksReader.books(queue, store);
        assertThat(books.received())
                .isEqualTo(books.stored()
                        + books.duplicates()
                        + books.deadLettered()
                        + books.queued()
                        + books.inFlight()
                        + books.unaccounted());
        return books;
    }

    private static Snapshot queue(long received, long queued) {
        return new Snapshot(received, queued, 7, List.of(), 0, 0, 0, List.of());
    }

    private static Totals store(long stored, long duplicates, long settledSince, long inFlight) {
        return new Totals(Map.of(), stored, 0, duplicates, 0, 5, settledSince, inFlight);
    }

    @Test
    void balanceAtRest() {
        assertThat(books(queue(100, 0), store(60, 35, 0, 0))).isEqualTo(new Books(100, 60, 35, 5, 0, 0, 0));
    }

    @Test
    void balanceWhileEventsAreQueuedAndInFlight() {
        assertThat(books(queue(100, 30), store(40, 5, 0, 20))).isEqualTo(new Books(100, 40, 5, 5, 30, 20, 0));
    }

    @Test
    void takeWhatWasClaimedAndSettledSinceOffTheQueue() {
        assertThat(books(queue(100, 30), store(50, 25, 10, 0))).isEqualTo(new Books(100, 50, 25, 5, 20, 0, 0));
    }

    @Test
    void addWhatWasReceivedAndSettledSince() {
        assertThat(books(queue(100, 30), store(80, 25, 40, 0))).isEqualTo(new Books(110, 80, 25, 5, 0, 0, 0));
    }

    @Test
    void countConflictsAmongTheDuplicates() {
        Totals store = new Totals(Map.of(), 60, 0, 35, 12, 5, 0, 0);
        assertThat(books(queue(100, 0), store)).isEqualTo(new Books(100, 60, 35, 12, 5, 0, 0, 0));
    }

    @Test
    void countWhatHasExpiredAmongWhatWasStored() {
        Totals store = new Totals(Map.of(), 60, 20, 35, 0, 5, 0, 0);
        assertThat(books(queue(100, 0), store)).isEqualTo(new Books(100, 60, 20, 35, 0, 5, 0, 0, 0));
    }

    @Test
    void showEventsThatAreMissing() {
        assertThat(books(queue(100, 10), store(50, 20, 0, 8)).unaccounted()).isEqualTo(7);
    }

    @Test
    void showEventsThatWereCountedTwice() {
        assertThat(books(queue(100, 10), store(70, 20, 0, 0)).unaccounted()).isEqualTo(-5);
    }
}
