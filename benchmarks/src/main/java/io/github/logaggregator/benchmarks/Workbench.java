package io.github.logaggregator.benchmarks;

import io.github.logaggregator.benchmarks.LoadGenerator.Load;
import io.github.logaggregator.benchmarks.LoadGenerator.Outcome;
import io.github.logaggregator.benchmarks.SystemUnderTest.Progress;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What all cases measure with: the system, the load, the settlements alone. */
final class Workbench implements AutoCloseable {
    static final String TOPIC = "benchmark";
    static final int BATCH = 100;
    static final int CONNECTIONS = 64;
    static final int BATCH_CONNECTIONS = 64;

    private static final int READERS = 8;

    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final Path root;
    private final BenchmarkOptions options;
    private final Http http = new Http();
    private final SystemUnderTest system;
    private final JavaProcess generator = JavaProcess.start(LoadGenerator.class, List.of());
    private final SettlementLoops settlements;

    Workbench(Path root, BenchmarkOptions options) {
        this.root = root;
        this.options = options;
        this.system = new SystemUnderTest(root, options, http);
        this.settlements = settlementsIn(SystemUnderTest.LIMIT);
    }

    Path root() {
        return root;
    }

    BenchmarkOptions options() {
        return options;
    }

    Http http() {
        return http;
    }

    SystemUnderTest system() {
        return system;
    }

    long generatorPid() {
        return generator.pid();
    }

    EventSource newEvents() {
        return new EventSource(TOPIC, options.eventBytes(), options.duplicateShare(), false);
    }

    /** As fast as they are answered, for {@code bench.seconds}. */
    Outcome send(URI target, int batch) {
        return send(target, batch, 0, options.seconds() * 1_000L);
    }

    /**
     * Sends events.
     *
     * @param requestsPerSecond 0 for as fast as they are answered
     */
    Outcome send(URI target, int batch, double requestsPerSecond, long millis) {
        return send(target, null, batch, false, requestsPerSecond, millis);
    }

    /** Sends events with a key, as fast as they are answered. */
    Outcome sendWithKey(URI target, String key, int batch, long millis) {
        return send(target, key, batch, false, 0, millis);
    }

    /** Batches, each duplicate of which differs from what is stored, as fast as they are answered. */
    Outcome sendConflicts(URI target) {
        return send(target, null, BATCH, true, 0, options.seconds() * 1_000L);
    }

    /** Asks for all of these, by several at once, for {@code bench.warm-up-seconds}. */
    void warmUp(List<URI> uris) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.warmUpSeconds());
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < READERS; i++) {
                threads.execute(() -> {
                    while (System.nanoTime() < end) {
                        uris.forEach(http::get);
                    }
                });
            }
        }
    }

    private Outcome send(
            URI target, @Nullable String key, int batch, boolean conflicting, double requestsPerSecond, long millis) {
        Load load = new Load(
                target.resolve("/publish"),
                key,
                TOPIC,
                batch,
                options.eventBytes(),
                options.duplicateShare(),
                conflicting,
                batch == 1 ? CONNECTIONS : BATCH_CONNECTIONS,
                requestsPerSecond,
                millis);
        Outcome outcome = Http.JSON.readValue(generator.ask(Http.JSON.writeValueAsString(load)), Outcome.class);
        if (outcome.failed() > outcome.accepted() / 100) {
            throw new IllegalStateException("Too many requests failed: " + outcome);
        }
        return outcome;
    }

    /** How many events a second PostgreSQL settles alone, in an otherwise empty table or one with rows. */
    double settlementsPerSecond() {
        return settlements.eventsPerSecond(newEvents(), options.seconds() * 1_000L);
    }

    SettlementLoops settlementsIn(String database) {
        return new SettlementLoops(root, system.database(database), options.loops(), options.claimSize());
    }

    record Timed(Progress progress, long nanos) {}

    static Timed await(Supplier<Progress> progress, Predicate<Progress> reached) {
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (System.nanoTime() < deadline) {
            Progress now = progress.get();
            if (reached.test(now)) {
                return new Timed(now, System.nanoTime());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        throw new IllegalStateException("Nothing came of it: " + progress.get());
    }

    void awaitSettled(URI api) {
        await(() -> system.progress(api), now -> now.settled() == now.received());
    }

    static void say(String line) {
        System.out.println(line);
    }

    @Override
    public void close() {
        generator.close();
        settlements.close();
        system.close();
    }
}
