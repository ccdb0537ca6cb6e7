package io.github.logaggregator.publisher;

import io.github.logaggregator.model.Stats.Books;
import java.time.Duration;
import java.util.Formatter;
import java.util.Locale;
import java.util.Optional;

/**
 * Says what a run has sent and what became of it, and whether the books balance. It judges by the differences that the
 * run made to the books, so it holds for the hundredth run as for the first.
 *
 * <p>Each event that was answered with 200 must have been received, and nothing may be unaccounted for. Where nobody
 * else was publishing, the figures must be exact; else the run's own are a lower bound.
 *
 * @param run what was sent
 * @param tally how it was answered
 * @param before the books before the first event
 * @param after the books when the queue was drained, or the time for that was over
 */
record Report(Run run, Tally tally, Books before, Books after) {
    /**
     * What was sent.
     *
     * @param distinct events that were sent for the first time
     * @param resent re-sends of them
     * @param fresh whether no earlier run can have sent any of them
     * @param time from the first event to the last answer
     */
    record Run(long distinct, long resent, boolean fresh, Duration time) {
        long sent() {
            return distinct + resent;
        }
    }

    private long received() {
        return after.received() - before.received();
    }

    private long stored() {
        return after.stored() - before.stored();
    }

    private long duplicates() {
        return after.duplicates() - before.duplicates();
    }

    private long conflicting() {
        return after.conflicting() - before.conflicting();
    }

    private long deadLettered() {
        return after.deadLettered() - before.deadLettered();
    }

    /** Whether the books grew by more than this run can explain, lost answers included. */
    private boolean othersPublished() {
        return received() > tally.accepted() + tally.maybeTakenTwice() || before.queued() + before.inFlight() > 0;
    }

    /** Why the run has failed, in one line; empty when the books balance. */
    Optional<String> fault() {
        if (after.unaccounted() != 0) {
            return Optional.of(String.format(
                    Locale.ROOT, "the books don't balance: unaccounted is %,d, not 0", after.unaccounted()));
        }
        if (tally.accepted() != run.sent()) {
            return Optional.of(
                    String.format(Locale.ROOT, "%,d of %,d events were accepted", tally.accepted(), run.sent()));
        }
        if (received() < tally.accepted()) {
            return Optional.of(String.format(
                    Locale.ROOT, "%,d events were accepted, but only %,d received", tally.accepted(), received()));
        }
        if (after.queued() + after.inFlight() > 0) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "the queue was not drained within publisher.wait-for-drain: %,d queued, %,d in flight",
                    after.queued(),
                    after.inFlight()));
        }
        if (run.fresh() && stored() < run.distinct()) {
            return Optional.of(String.format(
                    Locale.ROOT,
                    "%,d distinct events were sent, but only %,d stored (%,d dead-lettered)",
                    run.distinct(),
                    stored(),
                    deadLettered()));
        }
        if (run.fresh() && duplicates() < run.resent()) {
            return Optional.of(String.format(
                    Locale.ROOT, "%,d duplicates were sent, but only %,d counted", run.resent(), duplicates()));
        }
        if (!othersPublished() && stored() > run.distinct()) {
            return Optional.of(String.format(
                    Locale.ROOT, "%,d distinct events were sent, but %,d stored", run.distinct(), stored()));
        }
        return Optional.empty();
    }

    /** The whole report, several lines without a line break at the end. */
    @Override
    public String toString() {
        Formatter report = new Formatter(Locale.ROOT);
        sending(report);
        report.format("%n%-14s%12s%14s%n", "The books", "this run", "in all");
        book(report, "received", received(), after.received());
        book(report, "stored", stored(), after.stored());
        if (after.expired() > 0) {
            book(report, "  expired", after.expired() - before.expired(), after.expired());
        }
        book(report, "duplicates", duplicates(), after.duplicates());
        book(report, "  conflicting", conflicting(), after.conflicting());
        book(report, "dead-lettered", deadLettered(), after.deadLettered());
        state(report, "queued", after.queued());
        state(report, "in flight", after.inFlight());
        state(report, "unaccounted", after.unaccounted());
        report.format("%n");
        if (tally.maybeTakenTwice() > 0) {
            report.format(
                    "Answers were lost: received and duplicates may be higher than sent by up to %,d.%n",
                    tally.maybeTakenTwice());
        }
        if (othersPublished()) {
            report.format("Others were publishing, too: this run's figures are judged as lower bounds.%n");
        }
        return report.format("%s", fault().map(fault -> "FAILED: " + fault).orElse("OK: the books balance."))
                .toString();
    }

    private void sending(Formatter report) {
        double seconds = Math.max(run.time().toNanos(), 1) / 1e9;
        report.format(
                "%n%-14s%,12d  events in %.2f s, %,.0f a second%n",
                "Sent", run.sent(), seconds, tally.accepted() / seconds);
        report.format("  %-12s%,12d%n", "distinct", run.distinct());
        report.format("  %-12s%,12d%n", "duplicates", run.resent());
        report.format(
                "%-14s%,12d  in %,d requests; retries: %,d%n",
                "Accepted", tally.accepted(), tally.requests(), tally.retries());
        report.format(
                "%-14s%12s  p50 %.1f, p90 %.1f, p99 %.1f, max %.1f%n",
                "Latency",
                "ms",
                tally.latencyMillis(50),
                tally.latencyMillis(90),
                tally.latencyMillis(99),
                tally.latencyMillis(100));
    }

    private static void book(Formatter report, String name, long change, long total) {
        report.format("  %-13s%,11d%,14d%n", name, change, total);
    }

    private static void state(Formatter report, String name, long now) {
        report.format("  %-13s%11s%,14d%n", name, "", now);
    }
}
