package io.github.logaggregator.benchmarks;

import java.util.Properties;

/**
 * How much is measured, from the system properties {@code bench.*}.
 *
 * @param rounds how often each case is measured; with 1 everything is smaller, and at most three minutes long
 * @param seconds how long a load lasts that is measured
 * @param warmUpSeconds how long each kind of load lasts before the first round
 * @param drained events on the queue that is drained
 * @param eventBytes size of an event's JSON
 * @param duplicateShare share of the events that were sent before
 * @param loops of the worker
 * @param claimSize events of a claim
 * @param rows of the large table
 * @param memorySeconds how long memory is watched under full load
 */
record BenchmarkOptions(
        int rounds,
        int seconds,
        int warmUpSeconds,
        int drained,
        int eventBytes,
        double duplicateShare,
        int loops,
        int claimSize,
        int rows,
        int memorySeconds) {
    private static final int SHORT = 1;
    private static final int ROWS = 10_000_000;
    private static final int MEMORY_SECONDS = 600;

    static BenchmarkOptions of(Properties properties) {
        int rounds = number(properties, "rounds", 3);
        boolean isShort = rounds == SHORT;
        return new BenchmarkOptions(
                rounds,
                number(properties, "seconds", isShort ? 2 : 8),
                number(properties, "warm-up-seconds", isShort ? 6 : 15),
                number(properties, "drained", isShort ? 60_000 : 300_000),
                number(properties, "event-bytes", 300),
                Double.parseDouble(value(properties, "duplicate-share", "0.3")),
                number(properties, "loops", 4),
                number(properties, "claim-size", 1_000),
                number(properties, "rows", isShort ? 200_000 : ROWS),
                number(properties, "memory-seconds", isShort ? 6 : MEMORY_SECONDS));
    }

    /** Whether the large table is smaller than it is meant to be. */
    boolean isTableScaledDown() {
        return rows < ROWS;
    }

    /** Whether memory is watched for a shorter time than is meant. */
    boolean isMemoryScaledDown() {
        return memorySeconds < MEMORY_SECONDS;
    }

    private static int number(Properties properties, String name, int otherwise) {
        return Integer.parseInt(value(properties, name, Integer.toString(otherwise)));
    }

    /** One that is given empty, as Maven gives what is not set, is not given. */
    private static String value(Properties properties, String name, String otherwise) {
        String value = properties.getProperty("bench." + name, "");
        return value.isEmpty() ? otherwise : value;
    }
}
