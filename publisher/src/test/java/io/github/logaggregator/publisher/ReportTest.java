package io.github.logaggregator.publisher;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Stats.Books;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A run of 1000 events, 700 of them distinct, on books that held 5000 events before. */
final class ReportTest {
    private static final Books BEFORE = new Books(5000, 3500, 1500, 0, 0, 0, 0);

    private final Tally tally = new Tally();

    @Test
    void isContentWhenTheBooksGrewByTheRun() {
        assertThat(fresh(6000, 4200, 1800, 0).fault()).isEmpty();
    }

    @Test
    void tellsHowManyOfTheDuplicatesHadAnotherContent() {
        Report report = report(new Books(6000, 4200, 1800, 12, 0, 0, 0, 0), true);

        assertThat(report.fault()).isEmpty();
        assertThat(report.toString())
                .contains(
                        "  duplicates           300         1,800\n",
                        "    conflicting         12            12\n",
                        "  dead-lettered          0             0\n");
    }

    @Test
    void tellsOfExpiredEventsWhereThereAreAny() {
        Report report = report(new Books(6000, 4200, 40, 1800, 0, 0, 0, 0, 0), true);

        assertThat(report.fault()).isEmpty();
        assertThat(report.toString())
                .contains("  stored               700         4,200\n    expired             40            40\n");
        assertThat(fresh(6000, 4200, 1800, 0).toString()).doesNotContain("expired");
    }

    @Test
    void findsAcceptedEventsThatWereNotReceived() {
        assertThat(fresh(5999, 4200, 1799, 0).fault()).contains("1,000 events were accepted, but only 999 received");
    }

    @Test
    void findsDistinctEventsThatWereNotStored() {
        assertThat(fresh(6000, 4199, 1801, 0).fault())
                .contains("700 distinct events were sent, but only 699 stored (0 dead-lettered)");
        assertThat(fresh(6000, 4199, 1800, 1).fault())
                .contains("700 distinct events were sent, but only 699 stored (1 dead-lettered)");
    }

    @Test
    void findsDuplicatesThatWereStored() {
        assertThat(fresh(6000, 4201, 1799, 0).fault()).contains("300 duplicates were sent, but only 299 counted");
    }

    @Test
    void knowsThatALostAnswerCountsAnEventAgain() {
        tally.retried(50, "no answer");

        Report report = fresh(6050, 4200, 1850, 0);

        assertThat(report.fault()).isEmpty();
        assertThat(report.toString()).doesNotContain("Others were publishing");
    }

    @Test
    void takesItsFiguresForLowerBoundsWhenOthersPublish() {
        Report report = fresh(6500, 4600, 1900, 0);

        assertThat(report.fault()).isEmpty();
        assertThat(report.toString()).contains("Others were publishing");
        assertThat(fresh(6500, 4199, 2301, 0).fault()).isPresent();
    }

    @Test
    void expectsNoNewRowsOfEventsThatWereSentBefore() {
        Report report = report(new Books(6000, 3500, 2500, 0, 0, 0, 0), false);

        assertThat(report.fault()).isEmpty();
        assertThat(report(new Books(6000, 4201, 1799, 0, 0, 0, 0), false).fault())
                .contains("700 distinct events were sent, but 701 stored");
    }

    @Test
    void findsWhatIsUnaccountedFor() {
        assertThat(report(new Books(6000, 4200, 1801, 0, 0, 0, -1), true).fault())
                .contains("the books don't balance: unaccounted is -1, not 0");
    }

    private Report fresh(long received, long stored, long duplicates, long deadLettered) {
        return report(new Books(received, stored, duplicates, deadLettered, 0, 0, 0), true);
    }

    private Report report(Books after, boolean fresh) {
        if (tally.accepted() == 0) {
            tally.accepted(1000, Duration.ofMillis(5));
        }
        return new Report(new Report.Run(700, 300, fresh, Duration.ofSeconds(2)), tally, BEFORE, after);
    }
}
