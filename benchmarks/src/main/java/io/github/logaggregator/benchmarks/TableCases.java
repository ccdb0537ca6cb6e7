package io.github.logaggregator.benchmarks;

import static io.github.logaggregator.benchmarks.Workbench.say;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.ServiceProcess;
import java.net.URI;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.HdrHistogram.Histogram;

/** What many rows cost: those who settle, and those who read. */
final class TableCases {
    private static final String LARGE = EmbeddedPostgresStore.DATABASE;
    private static final String SMALL = SystemUnderTest.LIMIT;
    private static final int SMALL_ROWS = 10_000;
    private static final String SLOWEST = "slowest p99 ms";

    private final Workbench bench;
    private final SystemUnderTest system;
    private final BenchmarkOptions options;
    private final Samples settling = new Samples("cost per settled event, large table", "µs");
    private final Samples reading = new Samples("GET /events?topic=&limit=100, /stats, large table", "ms");
    private final Samples readingTheRest =
            new Samples("GET each other kind of page, one event, /topics, large table", "ms");

    TableCases(Workbench bench) {
        this.bench = bench;
        this.system = bench.system();
        this.options = bench.options();
    }

    Case settling() {
        return settling.comparedTo("at most 1.3 times", ratio -> ratio <= 1.3, options.isTableScaledDown());
    }

    Case reading() {
        return reading(reading);
    }

    Case readingTheRest() {
        return reading(readingTheRest);
    }

    private Case reading(Samples samples) {
        return samples.comparedTo(
                "at most 1.2 times, p99 10 ms",
                ratio -> ratio <= 1.2 && samples.medianOf(SLOWEST) <= 10,
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
        Map<String, Queries> first = Map.of(
                "/events", Queries.same("/events?topic=topic-1&limit=100"),
                "/stats", Queries.same("/stats"));
        Map<String, Queries> rest = theRest();
        bench.warmUp(Stream.of(first, rest)
                .flatMap(queries -> queries.values().stream())
                .flatMap(queries -> Stream.of(
                        onLarge.uri().resolve(queries.ofLarge()), onSmall.uri().resolve(queries.ofSmall())))
                .toList());
        for (int round = 0; round < options.rounds(); round++) {
            read(reading, first, onLarge, onSmall);
            read(readingTheRest, rest, onLarge, onSmall);
        }
        onLarge.stop();
        onSmall.stop();
    }

    /** The same question to both databases. */
    private record Queries(String ofLarge, String ofSmall) {
        static Queries same(String query) {
            return new Queries(query, query);
        }
    }

    private Map<String, Queries> theRest() {
        Map<String, Queries> queries = new LinkedHashMap<>();
        queries.put("newest", Queries.same("/events?limit=100"));
        queries.put("oldest", Queries.same("/events?order=asc&limit=100"));
        String middle = "SELECT arrival_xid || '-' || arrival_number FROM events ORDER BY arrival_xid, arrival_number"
                + " OFFSET (SELECT count(*) / 2 FROM events) LIMIT 1";
        queries.put("in the middle", ofEach("/events?limit=100&cursor=", middle));
        queries.put("of two topics", Queries.same("/events?topic=topic-1&topic=topic-2&limit=100"));
        queries.put("of a source that is rare", Queries.same("/events?source=nobody"));
        queries.put("of a payload that is rare", Queries.same("/events?payload.text=nothing"));
        queries.put("since a time", Queries.same("/events?limit=100&since=2025-01-01T00:00:00Z"));
        queries.put(
                "one event", ofEach("/events/topic-1/", "SELECT event_id FROM events WHERE topic = 'topic-1' LIMIT 1"));
        queries.put("/topics", Queries.same("/topics"));
        return queries;
    }

    private Queries ofEach(String query, String sql) {
        return new Queries(query + system.query(LARGE, sql), query + system.query(SMALL, sql));
    }

    /** One request at a time, to the two in turn. Of all, the one that is furthest from where it was is the value. */
    private void read(Samples samples, Map<String, Queries> queries, ServiceProcess onLarge, ServiceProcess onSmall) {
        Map<String, Reading> readings = new LinkedHashMap<>();
        queries.keySet().forEach(name -> readings.put(name, new Reading()));
        CpuTimes before = cpu(onLarge);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.seconds());
        long requests = 0;
        while (System.nanoTime() < end) {
            queries.forEach((name, asked) -> {
                Reading latencies = Objects.requireNonNull(readings.get(name));
                read(onLarge.uri().resolve(asked.ofLarge()), latencies.large());
                read(onSmall.uri().resolve(asked.ofSmall()), latencies.small());
            });
            requests += queries.size();
        }
        samples.cpu("", cpu(onLarge).microsPerEventSince(before, requests));
        Reading worst = readings.values().stream()
                .max(Comparator.comparingDouble(Reading::ratio))
                .orElseThrow();
        samples.add(p50(worst.large()), p50(worst.small()));
        samples.detail(
                SLOWEST,
                readings.values().stream()
                        .mapToDouble(each -> p99(each.large()))
                        .max()
                        .orElseThrow());
        readings.forEach((name, latencies) -> {
            samples.detail(name + " p50 ms", p50(latencies.large()));
            samples.detail(name + " p99 ms", p99(latencies.large()));
            samples.detail(name + " ratio", latencies.ratio());
        });
        say(samples.last());
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

    private record Reading(Histogram large, Histogram small) {
        Reading() {
            this(new Histogram(3), new Histogram(3));
        }

        double ratio() {
            return p50(large) / p50(small);
        }
    }

    private void read(URI uri, Histogram latencies) {
        long begin = System.nanoTime();
        bench.http().get(uri);
        latencies.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begin));
    }

    private static double p50(Histogram latencies) {
        return latencies.getValueAtPercentile(50) / 1e3;
    }

    private static double p99(Histogram latencies) {
        return latencies.getValueAtPercentile(99) / 1e3;
    }
}
