package io.github.logaggregator.benchmarks;

import static io.github.logaggregator.benchmarks.Workbench.say;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.ServiceProcess;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/** What many rows cost: those who settle, and those who read. */
final class TableCases {
    private static final String LARGE = EmbeddedPostgresStore.DATABASE;
    private static final String SMALL = SystemUnderTest.LIMIT;
    private static final int SMALL_ROWS = 10_000;

    private final Workbench bench;
    private final SystemUnderTest system;
    private final BenchmarkOptions options;
    private final Samples settling = new Samples("cost per settled event, large table", "µs");
    private final Samples reading = new Samples("GET /events?topic=&limit=100, /stats, large table", "ms");

    TableCases(Workbench bench) {
        this.bench = bench;
        this.system = bench.system();
        this.options = bench.options();
    }

    Case settling() {
        return settling.comparedTo("at most 1.3 times", ratio -> ratio <= 1.3, options.isTableScaledDown());
    }

    Case reading() {
        return reading.comparedTo(
                "at most 1.2 times, p99 10 ms",
                ratio -> ratio <= 1.2
                        && Math.max(reading.medianOf("/events p99 ms"), reading.medianOf("/stats p99 ms")) <= 10,
                options.isTableScaledDown());
    }

    void run() {
        fill(LARGE, options.rows());
        try (SettlementLoops large = bench.settlementsIn(LARGE)) {
            for (int round = 0; round < options.rounds(); round++) {
                system.execute(SMALL, "TRUNCATE events");
                double empty = bench.settlementsPerSecond();
                double full = large.eventsPerSecond(bench.newEvents(), options.seconds() * 1_000L);
                settling.add(1e6 / full, 1e6 / empty);
                say(settling.last());
            }
        }
        fill(SMALL, SMALL_ROWS);
        ServiceProcess onLarge = system.startApi();
        ServiceProcess onSmall = system.startApiOn(SMALL);
        read(onLarge.uri(), onSmall.uri(), options.warmUpSeconds());
        for (int round = 0; round < options.rounds(); round++) {
            CpuTimes before = cpu(onLarge);
            Reading now = read(onLarge.uri(), onSmall.uri(), options.seconds());
            reading.cpu("", cpu(onLarge).microsPerEventSince(before, now.requests()));
            // Of the two, the one that is further from where it was
            boolean worseIsStats = now.ofStats() > now.ofEvents();
            reading.add(
                    worseIsStats ? p50(now.largeStats()) : p50(now.largeEvents()),
                    worseIsStats ? p50(now.smallStats()) : p50(now.smallEvents()));
            reading.detail("/events p50 ms", p50(now.largeEvents()));
            reading.detail("/events p99 ms", p99(now.largeEvents()));
            reading.detail("/events ratio", now.ofEvents());
            reading.detail("/stats p50 ms", p50(now.largeStats()));
            reading.detail("/stats p99 ms", p99(now.largeStats()));
            reading.detail("/stats ratio", now.ofStats());
            say(reading.last());
        }
        onLarge.stop();
        onSmall.stop();
    }

    private CpuTimes cpu(ServiceProcess api) {
        return CpuTimes.of(Map.of(
                "API", api.pid(), "PostgreSQL for both APIs", system.storePids().get("PostgreSQL")));
    }

    /** Rows such as the load makes, in ten topics. */
    private void fill(String database, int rows) {
        say("Filling a table with " + rows + " rows");
        system.execute(database, "TRUNCATE events, topic_totals, totals_delta");
        int payload = Math.max(1, options.eventBytes() - 150);
        system.execute(database, """
                INSERT INTO events (topic, event_id, ts, source, payload, received_at)
                SELECT 'topic-' || i %% 10, gen_random_uuid()::text, now(), 'benchmark',
                    jsonb_build_object('text', repeat('x', %d)), now()
                FROM generate_series(1, %d) AS i
                """.formatted(payload, rows));
        system.execute(database, "INSERT INTO topic_totals SELECT topic, count(*), 0, 0 FROM events GROUP BY topic");
        system.execute(database, "VACUUM ANALYZE");
        system.execute(database, "CHECKPOINT");
    }

    private record Reading(Histogram largeEvents, Histogram smallEvents, Histogram largeStats, Histogram smallStats) {
        Reading() {
            this(new Histogram(3), new Histogram(3), new Histogram(3), new Histogram(3));
        }

        long requests() {
            return largeEvents.getTotalCount() + largeStats.getTotalCount();
        }

        double ofEvents() {
            return p50(largeEvents) / p50(smallEvents);
        }

        double ofStats() {
            return p50(largeStats) / p50(smallStats);
        }
    }

    /** One request at a time, to the two in turn. */
    private Reading read(URI large, URI small, int seconds) {
        Reading reading = new Reading();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end) {
            read(large, "/events?topic=topic-1&limit=100", reading.largeEvents());
            read(small, "/events?topic=topic-1&limit=100", reading.smallEvents());
            read(large, "/stats", reading.largeStats());
            read(small, "/stats", reading.smallStats());
        }
        return reading;
    }

    private void read(URI api, String path, Histogram latencies) {
        long begin = System.nanoTime();
        bench.http().get(api.resolve(path));
        latencies.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begin));
    }

    private static double p50(Histogram latencies) {
        return latencies.getValueAtPercentile(50) / 1e3;
    }

    private static double p99(Histogram latencies) {
        return latencies.getValueAtPercentile(99) / 1e3;
    }
}
