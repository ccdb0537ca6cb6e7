package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.api.BooksReader.Reading;
import io.github.logaggregator.api.EventFeed.EndedException;
import io.github.logaggregator.api.EventQueueStatistics.OpenClaim;
import io.github.logaggregator.api.EventQueueStatistics.Snapshot;
import io.github.logaggregator.api.EventStoreDeadLetters.DeadLetterHead;
import io.github.logaggregator.api.EventStoreTotals.Counts;
import io.github.logaggregator.model.Stats;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Takes the figures of the whole system once a second, whoever looks, and keeps those of the last five minutes. While a store
 * does not answer, it says so and goes on asking.
 *
 * <p>A sample is one script of Redis and three or four short statements of PostgreSQL. With ten thousands of topics it takes
 * longer, and is then taken less often.
 */
@Component
class Sampler implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(Sampler.class);

    private static final Duration INTERVAL = Duration.ofSeconds(1);

    /** How long to rest after a sample at least, in times of what it took; */
    private static final int REST = 4;

    /** but not longer than this: what takes seconds waits for a store that does not answer. */
    private static final Duration LONGEST_REST = Duration.ofSeconds(4);

    /** What a sample takes at most, by the stores' time-outs, or nearly so. */
    private static final Duration LONGEST_SAMPLE = Duration.ofSeconds(2);

    private static final int KEPT = 300;

    /** Topics that are told one by one; the others are told together. */
    static final int MAX_TOPICS = 50;

    private static final int MAX_DEAD_LETTERS = 20;

    private final BooksReader books;
    private final EventQueueStatistics queue;
    private final EventStoreArrivals arrivals;
    private final EventStoreDeadLetters deadLetters;
    private final SchemaState schema;
    private final ApiProperties.Queue bounds;
    private final SampleMetrics metrics;
    private final Clock clock;
    private final Thread thread = Thread.ofPlatform().name("sampler").unstarted(this::sample);
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition taken = lock.newCondition();
    private final CountDownLatch end = new CountDownLatch(1);

    // Guarded by the lock.
    private final Deque<Sample> history = new ArrayDeque<>();
    private @Nullable Sampling newest;

    Sampler(
            BooksReader books,
            EventQueueStatistics queue,
            EventStoreArrivals arrivals,
            EventStoreDeadLetters deadLetters,
            SchemaState schema,
            ApiProperties properties,
            SampleMetrics metrics,
            Clock clock) {
        this.books = books;
        this.queue = queue;
        this.arrivals = arrivals;
        this.deadLetters = deadLetters;
        this.schema = schema;
        this.bounds = properties.queue();
        this.metrics = metrics;
        this.clock = clock;
    }

    /**
     * A sample, and what is not kept of it.
     *
     * @param counts of all topics; empty if a store did not answer
     * @param topics the same, for people; null if a store did not answer
     * @param workers those that live or have a claim; null if Redis did not answer
     * @param deadLetters the newest; null if a store did not answer
     */
    record Sampling(
            Sample sample,
            Map<String, Counts> counts,
            @Nullable Topics topics,
            @Nullable List<Worker> workers,
            @Nullable List<DeadLetterHead> deadLetters) {}

    /**
     * The topics with most events, and what the others have together.
     *
     * @param others how many these are
     */
    record Topics(
            @JsonProperty("largest") List<Topic> largest,
            @JsonProperty("others") int others,
            @JsonProperty("others_stored") long othersStored,
            @JsonProperty("others_duplicates") long othersDuplicates) {

        static Topics of(Map<String, Counts> counts) {
            List<Topic> largest = counts.entrySet().stream()
                    // What nobody can read the topic of is counted under the empty one.
                    .filter(entry -> !entry.getKey().isEmpty())
                    .map(entry -> new Topic(
                            entry.getKey(),
                            entry.getValue().stored(),
                            entry.getValue().duplicates()))
                    .sorted(Comparator.comparingLong((Topic topic) -> topic.stored() + topic.duplicates())
                            .reversed())
                    .toList();
            List<Topic> others = largest.subList(Math.min(MAX_TOPICS, largest.size()), largest.size());
            return new Topics(
                    largest.subList(0, Math.min(MAX_TOPICS, largest.size())),
                    others.size(),
                    others.stream().mapToLong(Topic::stored).sum(),
                    others.stream().mapToLong(Topic::duplicates).sum());
        }
    }

    /** What was settled of a topic: events that were stored, and duplicates. */
    record Topic(
            @JsonProperty("topic") String name,
            @JsonProperty("stored") long stored,
            @JsonProperty("duplicates") long duplicates) {}

    /**
     * A worker, and what it holds.
     *
     * @param nonce by which its claims are known
     * @param alive whether it gave a sign of life of late; else its claims wait for the end of their leases
     * @param claims that are not acknowledged
     * @param events of these claims
     */
    record Worker(
            @JsonProperty("worker") String nonce,
            @JsonProperty("alive") boolean alive,
            @JsonProperty("claims") int claims,
            @JsonProperty("events") long events) {}

    /** The samples that are kept, the oldest first. */
    List<Sample> history() {
        lock.lock();
        try {
            return new ArrayList<>(history);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Gives the newest sample as soon as its number is above the given one; none if there was none for so long.
     *
     * @throws EndedException if there will be no more
     */
    @Nullable
    Sampling next(long number, Duration patience) throws InterruptedException, EndedException {
        long left = patience.toNanos();
        lock.lockInterruptibly();
        try {
            while (true) {
                if (end.getCount() == 0) {
                    throw new EndedException();
                }
                if (newest != null && newest.sample().number() > number) {
                    return newest;
                }
                if (left <= 0) {
                    return null;
                }
                left = taken.awaitNanos(left);
            }
        } finally {
            lock.unlock();
        }
    }

    private void sample() {
        try {
            long rest = 0;
            for (long number = 1; !end.await(rest, TimeUnit.NANOSECONDS); number++) {
                long begun = System.nanoTime();
                keep(take(number));
                long took = System.nanoTime() - begun;
                rest = Math.max(INTERVAL.toNanos() - took, Math.min(REST * took, LONGEST_REST.toNanos()));
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private void keep(Sampling sampling) {
        metrics.update(sampling);
        lock.lock();
        try {
            newest = sampling;
            history.addLast(sampling.sample());
            if (history.size() > KEPT) {
                history.removeFirst();
            }
            taken.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private Sampling take(long number) {
        Instant at = clock.instant();
        try {
            return schema.isUpToDate()
                    ? takeOfBoth(number, at)
                    : takeOfQueue(
                            number,
                            at,
                            "The database has not answered yet, or its schema is being brought up to date.");
        } catch (RuntimeException e) {
            LOG.error("A sample could not be taken; it is tried again", e);
            return nothing(number, at, "A sample could not be taken; the log of the API tells more.");
        }
    }

    private Sampling takeOfBoth(long number, Instant at) {
        try {
            Reading reading = books.read();
            Snapshot snapshot = reading.snapshot();
            Sample sample = new Sample(
                    number,
                    at,
                    null,
                    reading.books(),
                    reading.queue(),
                    usage(snapshot),
                    snapshot.workers().size(),
                    arrivals.latency().orElse(null));
            Map<String, Counts> counts = reading.totals().topics();
            List<DeadLetterHead> dead =
                    reading.books().deadLettered() == 0 ? List.of() : deadLetters.newest(MAX_DEAD_LETTERS);
            return new Sampling(sample, counts, Topics.of(counts), workers(snapshot), dead);
        } catch (Refusal e) {
            return takeOfQueue(number, at, problem(e));
        }
    }

    /** PostgreSQL does not answer, or Redis does not: what Redis alone knows is wanted most while PostgreSQL is away. */
    private Sampling takeOfQueue(long number, Instant at, String problem) {
        try {
            Snapshot snapshot = queue.read();
            long inFlight =
                    snapshot.openClaims().stream().mapToLong(OpenClaim::events).sum();
            Stats.Queue figures = new Stats.Queue(snapshot.queued(), inFlight, snapshot.oldestAgeSeconds(), false);
            Sample sample = new Sample(
                    number,
                    at,
                    problem,
                    null,
                    figures,
                    usage(snapshot),
                    snapshot.workers().size(),
                    null);
            return new Sampling(sample, Map.of(), null, workers(snapshot), null);
        } catch (Refusal e) {
            return nothing(number, at, problem(e));
        }
    }

    private static Sampling nothing(long number, Instant at, String problem) {
        return new Sampling(new Sample(number, at, problem, null, null, null, null, null), Map.of(), null, null, null);
    }

    private static String problem(Refusal refusal) {
        return String.valueOf(refusal.getBody().getDetail());
    }

    private double usage(Snapshot snapshot) {
        return Math.max(
                (double) snapshot.unsettled() / bounds.maxEvents(),
                (double) snapshot.unsettledBytes() / bounds.maxSize().toBytes());
    }

    private static List<Worker> workers(Snapshot snapshot) {
        Map<String, Worker> workers = new TreeMap<>();
        snapshot.workers().forEach(nonce -> workers.put(nonce, new Worker(nonce, true, 0, 0)));
        for (OpenClaim claim : snapshot.openClaims()) {
            workers.merge(
                    claim.id().nonce(),
                    new Worker(claim.id().nonce(), false, 1, claim.events()),
                    (known, more) -> new Worker(
                            known.nonce(), known.alive(), known.claims() + 1, known.events() + more.events()));
        }
        return List.copyOf(workers.values());
    }

    @Override
    public void start() {
        thread.start();
    }

    /** Ends those who wait for samples, which comes before the server waits for its requests to end. */
    @Override
    public void stop() {
        end.countDown();
        lock.lock();
        try {
            taken.signalAll();
        } finally {
            lock.unlock();
        }
        try {
            // Not interrupted: a store that is asked meanwhile would be said not to answer.
            boolean unused = thread.join(LONGEST_SAMPLE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return thread.isAlive() && end.getCount() > 0;
    }
}
