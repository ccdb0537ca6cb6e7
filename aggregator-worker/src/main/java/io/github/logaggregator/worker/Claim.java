package io.github.logaggregator.worker;

import io.github.logaggregator.model.ClaimId;
import io.github.logaggregator.model.QueueEntry;
import java.time.Instant;
import java.util.List;

/**
 * Entries that were taken off the queue to be settled together. Their number and content never change.
 *
 * @param leaseEnd until when no other worker takes the claim over; by knowing it, a worker proves that the claim is its own
 * @param entries how many; 0 if Redis was interrupted while it claimed
 * @param bytes of the entries
 * @param lines the entries' events, oldest first, each as a line of its entry
 */
record Claim(ClaimId id, Instant leaseEnd, int entries, long bytes, List<byte[]> lines) {
    static Claim of(ClaimId id, Instant leaseEnd, List<byte[]> entries) {
        return new Claim(
                id,
                leaseEnd,
                entries.size(),
                entries.stream().mapToLong(entry -> entry.length).sum(),
                entries.stream()
                        .flatMap(entry -> QueueEntry.lines(entry).stream())
                        .toList());
    }

    /** The same claim with a lease that ends at another time. */
    Claim until(Instant newLeaseEnd) {
        return new Claim(id, newLeaseEnd, entries, bytes, lines);
    }
}
