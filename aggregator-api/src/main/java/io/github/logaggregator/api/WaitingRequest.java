package io.github.logaggregator.api;

import io.github.logaggregator.model.Outcome;
import io.github.logaggregator.model.PublishResponse;
import io.github.logaggregator.model.ReplyAddress;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.convert.DurationStyle;

/**
 * A publish request whose answer waits until all of its events are settled, or for as long as its producer wants. It is no
 * thread, and holds nothing of the events but their outcomes.
 */
final class WaitingRequest {
    private static final Duration USUAL_WAIT = Duration.ofSeconds(10);
    private static final Duration MAX_WAIT = Duration.ofSeconds(ReplyAddress.MAX_WAIT_SECONDS);

    private final String api;
    private final long number;
    private final PublishResponse queued;
    private final CompletableFuture<Boolean> settled = new CompletableFuture<>();

    // Guarded by this.
    private final Outcome[] outcomes;
    private int unknown;

    /**
     * @param api the name under which this process gets replies
     * @param number tells the request from the others of this process
     * @param queued what it would be answered if it did not wait
     */
    WaitingRequest(String api, long number, PublishResponse queued) {
        this.api = api;
        this.number = number;
        this.queued = queued;
        this.unknown = queued.accepted();
        this.outcomes = new Outcome[unknown];
        Arrays.fill(outcomes, Outcome.QUEUED);
    }

    /**
     * How long to wait.
     *
     * @param wait the parameter {@code wait}: {@code true}, {@code false}, or a time such as {@code 10s}
     * @return zero if the answer is not to wait
     * @throws Refusal if it is none of these, or too long (422)
     */
    static Duration patience(String wait) {
        try {
            Duration patience = switch (wait) {
                case "true" -> USUAL_WAIT;
                case "false" -> Duration.ZERO;
                default -> DurationStyle.SIMPLE.parse(wait, ChronoUnit.SECONDS);
            };
            if (!patience.isNegative() && patience.compareTo(MAX_WAIT) <= 0) {
                return patience;
            }
        } catch (IllegalArgumentException e) {
            // It gets the same answer.
        }
        throw Paging.invalid(
                "wait", "must be true, false or a time such as 10s, at most " + MAX_WAIT.toSeconds() + "s");
    }

    long number() {
        return number;
    }

    /** Where to report what has become of one of its events. */
    ReplyAddress replyTo(int index) {
        return new ReplyAddress(api, number, index);
    }

    /** Takes a reply, which may come again. */
    void reply(int index, Outcome outcome) {
        if (know(index, outcome)) {
            settled.complete(true);
        }
    }

    /** Gives true if nothing is unknown any more. */
    private synchronized boolean know(int index, Outcome outcome) {
        if (outcomes[index] == Outcome.QUEUED) {
            outcomes[index] = outcome;
            unknown--;
        }
        return unknown == 0;
    }

    /** Ends the wait after so long. */
    void waitAtMost(Duration patience) {
        CompletableFuture<Boolean> unused = settled.completeOnTimeout(false, patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Ends the wait now. */
    void giveUp() {
        settled.complete(false);
    }

    /** Ends the wait of a request that is refused: its events were not queued. */
    void refuse(RuntimeException refusal) {
        settled.completeExceptionally(refusal);
    }

    /** Done when the wait is over, with whether that is because all events are settled. */
    CompletableFuture<Boolean> settled() {
        return settled;
    }

    /** What is known by now. */
    synchronized PublishResponse answer() {
        return queued.withOutcomes(Arrays.asList(outcomes));
    }
}
