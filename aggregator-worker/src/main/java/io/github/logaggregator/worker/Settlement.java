package io.github.logaggregator.worker;

import io.github.logaggregator.model.Outcome;
import io.github.logaggregator.model.ReplyAddress;
import java.time.Instant;
import java.util.Map;

/**
 * What became of a claim.
 *
 * @param counted whether this settlement counted; otherwise another one did before, or it came too late
 * @param inTime whether it came before the fence
 * @param stored how many of its events were new
 * @param duplicates how many were there before
 * @param conflicting how many of the duplicates had another content than what is stored
 * @param deadLettered how many PostgreSQL could not hold
 * @param storedReceived when the API received the stored ones: each such time, and how many of them
 * @param outcomes what has become of those that somebody waits for, whichever settlement counted
 */
record Settlement(
        boolean counted,
        boolean inTime,
        long stored,
        long duplicates,
        long conflicting,
        long deadLettered,
        Map<Instant, Long> storedReceived,
        Map<ReplyAddress, Outcome> outcomes) {
    /** How many events the claim had. */
    long events() {
        return stored + duplicates + deadLettered;
    }

    /** Whether the events are in PostgreSQL for sure, so that the claim may be dropped from Redis. */
    boolean mayBeAcknowledged() {
        return counted || inTime;
    }
}
