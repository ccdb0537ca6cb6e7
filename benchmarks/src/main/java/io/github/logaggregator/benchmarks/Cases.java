package io.github.logaggregator.benchmarks;

import io.github.logaggregator.benchmarks.LoadGenerator.Load;
import io.github.logaggregator.benchmarks.LoadGenerator.Outcome;
import io.github.logaggregator.benchmarks.SystemUnderTest.Progress;
import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.Ports;
import io.github.logaggregator.localstack.ServiceProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.HdrHistogram.Histogram;
import tools.jackson.databind.JsonNode;

/**
 * What is measured. Within a round, each case is measured next to what it is compared with, so that both meet the same
 * machine; the rounds turn their order around.
 */
final class Cases implements AutoCloseable {
    private static final String TOPIC = "benchmark";
    private static final int CONNECTIONS = 64;
    private static final int BATCH_CONNECTIONS = 8;
    private static final int BATCH = 100;
    private static final int SMALL_ROWS = 10_000;
    private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(5);

    private final Path root;
    private final BenchmarkOptions options;
    private final Http http = new Http();
    private final SystemUnderTest system;
    private final List<AutoCloseable> others = new ArrayList<>();
    private final SettlementLoops settlementLoops;

    private final Samples single = new Samples("POST one event per request", "requests/s");
    private final Samples batches = new Samples("POST 100 events per request", "events/s");
    private final Samples drain = new Samples("drain a full queue", "events/s");
    private final Samples endToEnd = new Samples("end to end, batches of 100", "events/s");
    private final Samples singleAgainstPlain =
            new Samples("end to end, one event per request, against plain", "events/s");
    private final Samples batchesAgainstPlain = new Samples("end to end, batches of 100, against plain", "events/s");
    private final Samples visible = new Samples("publish to visible in /events, at 50 % load", "ms");
    private final Samples largeTable = new Samples("cost per settled event, large table", "µs");
    private final Samples memory = new Samples("growth of memory under full load", "ratio");
    private final Samples reading = new Samples("GET /events?topic=&limit=100, /stats, large table", "ms");
    private final Samples start = new Samples("start to ready", "s");

    Cases(Path root, BenchmarkOptions options) {
        this.root = root;
        this.options = options;
        this.system = new SystemUnderTest(root, options, http);
        this.settlementLoops =
                new SettlementLoops(root, system.database(SystemUnderTest.LIMIT), options.loops(), options.claimSize());
    }

    Machine machine() {
        return Machine.of("PostgreSQL " + system.query("SHOW server_version") + ", Redis " + system.redisVersion());
    }

    List<Case> run() {
        URI echo = startEcho();
        URI plain = startPlain();
        ServiceProcess api = system.startApi();
        for (int round = 0; round < options.rounds(); round++) {
            boolean turned = round % 2 == 1;
            say("Round " + (round + 1) + " of " + options.rounds());
            publish(single, 1, CONNECTIONS, api.uri(), echo, turned);
            publish(batches, BATCH, BATCH_CONNECTIONS, api.uri(), echo, turned);
            drain(api.uri(), turned);
            ServiceProcess worker = system.startWorker();
            awaitSettled(() -> system.progress(api.uri()));
            endToEnd(api.uri(), echo, turned);
            againstPlain(api.uri(), plain, turned);
            visible(api.uri());
            worker.stop();
        }
        api.stop();
        fullMemory();
        largeTables();
        for (int round = 0; round < options.rounds(); round++) {
            start();
        }
        return results();
    }

    private List<Case> results() {
        boolean scaledDown = options.isScaledDown();
        return List.of(
                single.comparedTo("at least 0.80 of the echo", ratio -> ratio >= 0.8, false),
                batches.comparedTo("at least 0.80 of the echo", ratio -> ratio >= 0.8, false),
                drain.comparedTo("at least 0.80 of the statement", ratio -> ratio >= 0.8, false),
                endToEnd.comparedTo("at least 0.70 of the limit", ratio -> ratio >= 0.7, false),
                singleAgainstPlain.comparedTo("at least 4 times", ratio -> ratio >= 4, false),
                batchesAgainstPlain.comparedTo("at least 15 times", ratio -> ratio >= 15, false),
                visible.alone(
                        "p50 at most 15 ms, p99 60 ms",
                        visible.median() <= 15 && visible.medianOf("p99 ms") <= 60,
                        false),
                largeTable.comparedTo("at most 1.3 times", ratio -> ratio <= 1.3, scaledDown),
                memory.alone("flat: at most 1.1", memory.median() <= 1.1, scaledDown),
                reading.comparedTo(
                        "at most 1.2 times, p99 10 ms",
                        ratio -> ratio <= 1.2
                                && Math.max(reading.medianOf("/events p99 ms"), reading.medianOf("/stats p99 ms"))
                                        <= 10,
                        scaledDown),
                start.alone(
                        "API at most 2.5 s, worker 2 s",
                        start.median() <= 2.5 && start.medianOf("worker s") <= 2,
                        false));
    }

    private URI startEcho() {
        URI echo = URI.create("http://127.0.0.1:" + Ports.free());
        others.add(JavaProcess.start(
                        EchoApplication.class,
                        List.of(
                                "--server.address=127.0.0.1",
                                "--server.port=" + echo.getPort(),
                                // The API's own settings of Tomcat
                                "--spring.config.location=file:"
                                        + root.resolve("aggregator-api/src/main/resources/application.yml")))
                .awaitReady(http, echo.resolve("/ready")));
        return echo;
    }

    private URI startPlain() {
        URI plain = URI.create("http://127.0.0.1:" + Ports.free());
        List<String> arguments = new ArrayList<>(system.storeSettings());
        arguments.addAll(List.of("--server.address=127.0.0.1", "--server.port=" + plain.getPort()));
        others.add(JavaProcess.start(PlainApplication.class, arguments).awaitReady(http, plain.resolve("/ready")));
        return plain;
    }

    /** Requests are answered as fast as they come, with nobody who settles: what taking events in costs. */
    private void publish(Samples samples, int batch, int connections, URI api, URI echo, boolean turned) {
        List<URI> order = turned ? List.of(echo, api) : List.of(api, echo);
        List<Outcome> outcomes = order.stream()
                .map(target -> send(target, batch, connections, 0))
                .toList();
        Outcome ours = outcomes.get(turned ? 1 : 0);
        Outcome reference = outcomes.get(turned ? 0 : 1);
        samples.add(batch * ours.requestsPerSecond(), batch * reference.requestsPerSecond());
        samples.detail("p50 ms", ours.p50Millis());
        samples.detail("p99 ms", ours.p99Millis());
        say(samples, batch * ours.requestsPerSecond(), batch * reference.requestsPerSecond());
    }

    /** A worker that finds a full queue. Its rate counts from the second third on: the first one warms it up. */
    private void drain(URI api, boolean turned) {
        double reference = turned ? settlements() : 0;
        Progress before = system.progress(api);
        fill(api, Math.max(0, options.drained() - (before.received() - before.settled())));
        Progress full = system.progress(api);
        ServiceProcess worker = system.startWorker();
        long third = before.settled() + (full.received() - before.settled()) / 3;
        Timed warm = await(() -> system.progress(api), progress -> progress.settled() >= third);
        Timed empty = await(() -> system.progress(api), progress -> progress.settled() == full.received());
        worker.stop();
        double rate = (empty.progress().settled() - warm.progress().settled()) / ((empty.nanos() - warm.nanos()) / 1e9);
        reference = turned ? reference : settlements();
        drain.add(rate, reference);
        say(drain, rate, reference);
    }

    private double settlements() {
        return settlementLoops.eventsPerSecond(
                newEvents(), options.warmUpSeconds() * 1_000L, options.seconds() * 1_000L);
    }

    private EventSource newEvents() {
        return new EventSource(TOPIC, options.eventBytes(), options.duplicateShare());
    }

    private void fill(URI api, long events) {
        EventSource source = newEvents();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> statuses = new ArrayList<>();
            for (long sent = 0; sent < events; sent += 1_000) {
                statuses.add(threads.submit(() -> http.post(api.resolve("/publish"), source.body(1_000))));
            }
            for (Future<Integer> status : statuses) {
                if (status.get() != 200) {
                    throw new IllegalStateException("The queue could not be filled: " + status.get());
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Against the echo and the settlements at the same time: each would be as fast as the machine allows. */
    private void endToEnd(URI api, URI echo, boolean turned) {
        double reference = turned ? bothLimits(echo) : 0;
        double rate = settledPerSecond(api, BATCH, BATCH_CONNECTIONS, () -> system.progress(api));
        reference = turned ? reference : bothLimits(echo);
        endToEnd.add(rate, reference);
        say(endToEnd, rate, reference);
    }

    private double bothLimits(URI echo) {
        CompletableFuture<Outcome> echoed = CompletableFuture.supplyAsync(
                () -> send(echo, BATCH, BATCH_CONNECTIONS, 0), Thread::startVirtualThread);
        double settled = settlements();
        return Math.min(settled, BATCH * echoed.join().requestsPerSecond());
    }

    private void againstPlain(URI api, URI plain, boolean turned) {
        for (int batch : List.of(1, BATCH)) {
            int connections = batch == 1 ? CONNECTIONS : BATCH_CONNECTIONS;
            Samples samples = batch == 1 ? singleAgainstPlain : batchesAgainstPlain;
            Supplier<Double> ours = () -> settledPerSecond(api, batch, connections, () -> system.progress(api));
            Supplier<Double> theirs = () -> settledPerSecond(plain, batch, connections, () -> plainProgress(plain));
            double first = (turned ? theirs : ours).get();
            double second = (turned ? ours : theirs).get();
            awaitSettled(() -> system.progress(api));
            system.forgetQueue(PlainApplication.QUEUE); // which would take it minutes
            samples.add(turned ? second : first, turned ? first : second);
            say(samples, turned ? second : first, turned ? first : second);
        }
    }

    private Progress plainProgress(URI plain) {
        JsonNode counts = http.get(plain.resolve("/settled"));
        return new Progress(counts.get(0).longValue(), counts.get(1).longValue());
    }

    /** From the first event of a load to the last one's settlement, or for as long again as it was sent. */
    private double settledPerSecond(URI target, int batch, int connections, Supplier<Progress> progress) {
        Progress before = progress.get();
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(
                () -> send(target, batch, connections, 0, 0, options.seconds() * 1_000L), Thread::startVirtualThread);
        Timed first = await(progress, now -> now.received() > before.received());
        load.join();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.seconds());
        Timed last = await(
                progress,
                now -> now.settled() - before.settled() == now.received() - before.received()
                        || System.nanoTime() > end);
        return (last.progress().settled() - before.settled()) / ((last.nanos() - first.nanos()) / 1e9);
    }

    /** When what was published can be read, while others publish at half the API's speed. */
    private void visible(URI api) {
        Histogram latencies = new Histogram(3);
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(
                () -> send(api, 1, CONNECTIONS, single.median() / 2), Thread::startVirtualThread);
        String topic = "probes-" + UUID.randomUUID();
        URI events = api.resolve("/events?limit=5&topic=" + topic);
        EventSource probes = new EventSource(topic, options.eventBytes(), 0);
        long begin = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.warmUpSeconds());
        for (long due = begin; !load.isDone(); due += PROBE_NANOS) {
            LockSupport.parkNanos(due - System.nanoTime());
            byte[] body = probes.body(1);
            String id = Http.JSON.readTree(body).get("event_id").stringValue();
            http.post(api.resolve("/publish"), body);
            while (http.get(events)
                    .valueStream()
                    .noneMatch(event -> event.get("event_id").stringValue().equals(id))) {
                if (System.nanoTime() - due > PATIENCE_NANOS) {
                    throw new IllegalStateException(id + " does not become visible");
                }
            }
            latencies.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - due));
        }
        visible.add(latencies.getValueAtPercentile(50) / 1e3);
        visible.detail("p99 ms", latencies.getValueAtPercentile(99) / 1e3);
        visible.detail("requests/s", load.join().requestsPerSecond());
        say(visible.name() + ": " + latencies.getValueAtPercentile(50) / 1e3 + " ms");
        awaitSettled(() -> system.progress(api));
    }

    /** In little memory, for long. Grown is what the last third's most is above the middle third's. */
    private void fullMemory() {
        ServiceProcess api = system.startApi("-Xmx256m");
        ServiceProcess worker = system.startWorker("-Xmx256m");
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(
                () -> send(api.uri(), 10, BATCH_CONNECTIONS, 0, 0, options.memorySeconds() * 1_000L),
                Thread::startVirtualThread);
        List<ServiceProcess> services = List.of(api, worker);
        List<List<Long>> sizes = List.of(new ArrayList<>(), new ArrayList<>());
        while (!load.isDone()) {
            for (int i = 0; i < services.size(); i++) {
                sizes.get(i).add(residentBytes(services.get(i).pid()));
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
        }
        load.join();
        memory.add(Math.max(growth(sizes.get(0)), growth(sizes.get(1))));
        memory.detail("API MiB", sizes.get(0).getLast() / 1048576.0);
        memory.detail("worker MiB", sizes.get(1).getLast() / 1048576.0);
        awaitSettled(() -> system.progress(api.uri()));
        worker.stop();
        api.stop();
    }

    private static double growth(List<Long> sizes) {
        int third = sizes.size() / 3;
        long middle =
                sizes.subList(third, 2 * third).stream().max(Long::compare).orElseThrow();
        long last = sizes.subList(2 * third, sizes.size()).stream()
                .max(Long::compare)
                .orElseThrow();
        return (double) last / middle;
    }

    private static long residentBytes(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                            .filter(line -> line.startsWith("VmRSS:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                            .findFirst()
                            .orElseThrow()
                    * 1024;
        } catch (IOException e) {
            throw new IllegalStateException("Memory is read where Linux tells it", e);
        }
    }

    private void largeTables() {
        fillTable(EmbeddedPostgresStore.DATABASE, SMALL_ROWS);
        Reading small = read();
        fillTable(EmbeddedPostgresStore.DATABASE, options.rows());
        SettlementLoops large = new SettlementLoops(
                root, system.database(EmbeddedPostgresStore.DATABASE), options.loops(), options.claimSize());
        for (int round = 0; round < options.rounds(); round++) {
            system.execute(SystemUnderTest.LIMIT, "TRUNCATE events");
            double empty = settlements();
            double full =
                    large.eventsPerSecond(newEvents(), options.warmUpSeconds() * 1_000L, options.seconds() * 1_000L);
            largeTable.add(1e6 / full, 1e6 / empty);
            say(largeTable, 1e6 / full, 1e6 / empty);
        }
        for (int round = 0; round < options.rounds(); round++) {
            Reading now = read();
            // Of the two, the one that is further from where it was
            boolean worseIsStats = now.statsP50() / small.statsP50() > now.eventsP50() / small.eventsP50();
            reading.add(
                    worseIsStats ? now.statsP50() : now.eventsP50(),
                    worseIsStats ? small.statsP50() : small.eventsP50());
            reading.detail("/events p99 ms", now.eventsP99());
            reading.detail("/stats p99 ms", now.statsP99());
        }
        say(reading.name() + ": " + reading.median() + " ms");
    }

    /** Rows such as the load makes, in ten topics. */
    private void fillTable(String database, int rows) {
        say("Filling the table with " + rows + " rows");
        system.execute(database, "TRUNCATE events, topic_totals, totals_delta");
        int payload = Math.max(1, options.eventBytes() - 150);
        system.execute(database, """
                INSERT INTO events (topic, event_id, ts, source, payload, received_at)
                SELECT 'topic-' || i %% 10, gen_random_uuid()::text, now(), 'benchmark',
                    jsonb_build_object('text', repeat('x', %d)), now()
                FROM generate_series(1, %d) AS i
                """.formatted(payload, rows));
        system.execute(database, "INSERT INTO topic_totals SELECT topic, count(*), 0, 0 FROM events GROUP BY topic");
        system.execute(database, "VACUUM ANALYZE events");
    }

    private record Reading(double eventsP50, double eventsP99, double statsP50, double statsP99) {}

    private Reading read() {
        ServiceProcess api = system.startApi();
        Histogram events = new Histogram(3);
        Histogram stats = new Histogram(3);
        long warm = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.warmUpSeconds());
        long end = warm + TimeUnit.SECONDS.toNanos(options.seconds());
        for (long now = System.nanoTime(); now < end; now = System.nanoTime()) {
            http.get(api.uri().resolve("/events?topic=topic-1&limit=100"));
            long between = System.nanoTime();
            http.get(api.uri().resolve("/stats"));
            if (now > warm) {
                events.recordValue(TimeUnit.NANOSECONDS.toMicros(between - now));
                stats.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - between));
            }
        }
        api.stop();
        return new Reading(
                events.getValueAtPercentile(50) / 1e3,
                events.getValueAtPercentile(99) / 1e3,
                stats.getValueAtPercentile(50) / 1e3,
                stats.getValueAtPercentile(99) / 1e3);
    }

    private void start() {
        long begin = System.nanoTime();
        ServiceProcess api = system.startApi();
        long ready = System.nanoTime();
        ServiceProcess worker = system.startWorker();
        start.add((ready - begin) / 1e9);
        start.detail("worker s", (System.nanoTime() - ready) / 1e9);
        worker.stop();
        api.stop();
    }

    private Outcome send(URI target, int batch, int connections, double requestsPerSecond) {
        return send(
                target,
                batch,
                connections,
                requestsPerSecond,
                options.warmUpSeconds() * 1_000L,
                options.seconds() * 1_000L);
    }

    private Outcome send(
            URI target, int batch, int connections, double requestsPerSecond, long warmUpMillis, long millis) {
        Load load = new Load(
                target.resolve("/publish"),
                TOPIC,
                batch,
                options.eventBytes(),
                options.duplicateShare(),
                connections,
                requestsPerSecond,
                warmUpMillis,
                millis);
        try (JavaProcess generator =
                JavaProcess.start(LoadGenerator.class, List.of(Http.JSON.writeValueAsString(load)))) {
            Outcome outcome = Http.JSON.readValue(generator.lastLine(), Outcome.class);
            if (outcome.failed() > outcome.accepted() / 100) {
                throw new IllegalStateException("Too many requests failed: " + outcome);
            }
            return outcome;
        }
    }

    private record Timed(Progress progress, long nanos) {}

    private static Timed await(Supplier<Progress> progress, Predicate<Progress> reached) {
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

    private static Progress awaitSettled(Supplier<Progress> progress) {
        return await(progress, now -> now.settled() == now.received()).progress();
    }

    private static void say(Samples samples, double value, double against) {
        say("%s: %,.1f, against %,.1f: %.2f".formatted(samples.name(), value, against, value / against));
    }

    private static void say(String line) {
        System.out.println(line);
    }

    @Override
    public void close() {
        others.forEach(other -> {
            try {
                other.close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
        system.close();
    }
}
