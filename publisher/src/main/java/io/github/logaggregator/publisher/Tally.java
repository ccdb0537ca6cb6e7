package io.github.logaggregator.publisher;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** What the run has brought about so far; counts from many threads. */
final class Tally {
    private final AtomicLong accepted = new AtomicLong();
    private final AtomicLong requests = new AtomicLong();
    private final AtomicLong retries = new AtomicLong();
    private final AtomicLong maybeTakenTwice = new AtomicLong();
    private final Histogram latencies = new ConcurrentHistogram(3);
    private volatile String lastFault = "";

    /** Counts a request that was answered with 200, and how long that took, attempts and waits included. */
    void accepted(int events, Duration latency) {
        latencies.recordValue(TimeUnit.NANOSECONDS.toMicros(latency.toNanos()));
        requests.incrementAndGet();
        accepted.addAndGet(events);
    }

    /**
     * Counts an attempt that failed and will be made again.
     *
     * @param maybeTaken how many events the API may have taken from the failed attempt
     */
    void retried(int maybeTaken, String fault) {
        lastFault = fault;
        retries.incrementAndGet();
        maybeTakenTwice.addAndGet(maybeTaken);
    }

    /** Events that were answered with 200. */
    long accepted() {
        return accepted.get();
    }

    /** Requests that were answered with 200. */
    long requests() {
        return requests.get();
    }

    /** Attempts that failed and were made again. */
    long retries() {
        return retries.get();
    }

    /** By how many the API may have received more events than it answered with 200: those whose answer was lost. */
    long maybeTakenTwice() {
        return maybeTakenTwice.get();
    }

    /** Why the last retry was needed; empty when there was none. */
    String lastFault() {
        return lastFault;
    }

    /** The latency, in milliseconds, that this percentage of the requests did not exceed. */
    double latencyMillis(double percentile) {
        return latencies.getValueAtPercentile(percentile) / 1_000.0;
    }
}
