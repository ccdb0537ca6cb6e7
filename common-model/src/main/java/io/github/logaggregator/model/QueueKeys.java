package io.github.logaggregator.model;

/**
 * The names of a queue's keys in Redis. All keys of one queue share a hash tag, so that they live in one slot of a
 * Redis Cluster and one script may touch them all.
 *
 * @param shard the queue's number, from 0
 */
public record QueueKeys(int shard) {
    /** After how many seconds without a sign of life a worker counts as gone. */
    public static final int WORKER_TIMEOUT_SECONDS = 10;

    /** The queue that there is as long as there is only one. */
    public static final QueueKeys FIRST = new QueueKeys(0);

    /** List: the entries that no worker has claimed; in at the left, out at the right. */
    public String queue() {
        return prefix() + "queue";
    }

    /** Sorted set: the ids of the open claims, by the end of their lease (Unix time in milliseconds). */
    public String claims() {
        return prefix() + "claims";
    }

    /** What comes before a claim's id in the name of the list that holds the claim's entries. */
    public String claimPrefix() {
        return prefix() + "claim:";
    }

    /** Hash: how many entries and how many events each open claim holds, by the claim's id. */
    public String claimSizes() {
        return prefix() + "claim-sizes";
    }

    /**
     * Hash: {@code received} and {@code settled} events and their bytes, {@code queued} events and their entries, and the
     * number of the last claim.
     */
    public String counters() {
        return prefix() + "counters";
    }

    /** Sorted set: the workers, by their last sign of life (Unix time in milliseconds). */
    public String workers() {
        return prefix() + "workers";
    }

    /** Stream: what has become of the events for which requests wait at an API; {@link ReplyAddress#api} is its name. */
    public String replies(String api) {
        return prefix() + "replies:" + api;
    }

    /** Channel: a message, empty, each time that a worker has settled a claim. */
    public String settlements() {
        return prefix() + "settlements";
    }

    private String prefix() {
        return "aggregator:{" + shard + "}:";
    }
}
