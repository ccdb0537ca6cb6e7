package io.github.logaggregator.worker;

import io.github.logaggregator.model.ClaimId;
import java.time.Instant;
import java.util.List;

/**
 * Entries that were taken off the queue to be settled together. Their number and content never change.
 *
 * @param leaseEnd until when no other worker takes the claim over; by knowing it, a worker proves that the claim is its own
 * @param entries oldest first; empty if Redis was interrupted while it claimed
 */
record Claim(ClaimId id, Instant leaseEnd, List<byte[]> entries) {
    /** The same claim with a lease that ends at another time. */
    Claim until(Instant newLeaseEnd) {
        return new Claim(id, newLeaseEnd, entries);
    }

    long bytes() {
        return entries.stream().mapToLong(entry -> entry.length).sum();
    }
}
