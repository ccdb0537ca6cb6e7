package io.github.logaggregator.benchmarks;

import static io.github.logaggregator.benchmarks.Workbench.BATCH;
import static io.github.logaggregator.benchmarks.Workbench.await;
import static io.github.logaggregator.benchmarks.Workbench.say;

import io.github.logaggregator.benchmarks.LoadGenerator.Outcome;
import io.github.logaggregator.benchmarks.SystemUnderTest.Progress;
import io.github.logaggregator.benchmarks.Workbench.Timed;
import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.Ports;
import io.github.logaggregator.localstack.ServiceProcess;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * What is measured. Within a round, each case is measured next to what it is compared with, so that both meet the same
 * machine; the rounds turn their order around. All processes run, and are warm, before the first round.
 */
final class Cases implements AutoCloseable {
    private static final String KEY = "agg_" + "b".repeat(64);

    private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    /** As long as a probe's answer may be late: to ask without a pause would be most of the load. */
    private static final long PROBE_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final BenchmarkOptions options;
    private final Workbench bench;
    private final SystemUnderTest system;
    private final JavaProcess echoProcess;
    private final URI echo;
    private final JavaProcess plainProcess;
    private final URI plain;

    private final Samples single = new Samples("POST one event per request", "requests/s");
    private final Samples batches = new Samples("POST 100 events per request", "events/s");
    private final Samples drain = new Samples("drain a full queue", "events/s");
    private final Samples endToEnd = new Samples("end to end, batches of 100", "events/s");
    private final Samples singleAgainstPlain =
            new Samples("end to end, one event per request, against plain", "events/s");
    private final Samples batchesAgainstPlain = new Samples("end to end, batches of 100, against plain", "events/s");
    private final Samples conflicts =
            new Samples("conflicts: end to end, duplicates that differ, against equal ones", "events/s");
    private final Samples keys = new Samples("POST one event per request with a key, against without", "requests/s");
    private final Samples visible = new Samples("publish to visible in /events, at 50 % load", "ms");
    private final Samples start = new Samples("start to ready", "s");

    Cases(Path root, BenchmarkOptions options) {
        this.options = options;
        this.bench = new Workbench(root, options);
        this.system = bench.system();
        this.echo = URI.create("http://127.0.0.1:" + Ports.free());
        this.echoProcess = JavaProcess.start(
                        EchoApplication.class,
                        List.of(
                                "--server.address=127.0.0.1",
                                "--server.port=" + echo.getPort(),
                                // The API's own settings of Tomcat
                                "--spring.config.location=file:"
                                        + root.resolve("aggregator-api/src/main/resources/application.yml")))
                .awaitReady(bench.http(), echo.resolve("/ready"));
        this.plain = URI.create("http://127.0.0.1:" + Ports.free());
        List<String> arguments = new ArrayList<>(system.storeSettings());
        arguments.addAll(List.of("--server.address=127.0.0.1", "--server.port=" + plain.getPort()));
        this.plainProcess =
                JavaProcess.start(PlainApplication.class, arguments).awaitReady(bench.http(), plain.resolve("/ready"));
    }

    Machine machine() {
        return Machine.of("PostgreSQL " + system.query(EmbeddedPostgresStore.DATABASE, "SHOW server_version")
                + ", Redis " + system.redisVersion());
    }

    List<Case> run() {
        ServiceProcess api = system.startApi();
        ServiceProcess apiWithKey = system.startApiWithKey(KEY);
        ServiceProcess worker = system.startWorker();
        warmUp(api.uri(), apiWithKey.uri());
        for (int round = 0; round < options.rounds(); round++) {
            boolean turned = round % 2 == 1;
            say("Round " + (round + 1) + " of " + options.rounds());
            worker.pause();
            publish(single, 1, api, turned);
            publish(batches, BATCH, api, turned);
            drain(api, worker, turned);
            endToEnd(api, worker, turned);
            againstPlain(api.uri(), turned);
            conflicts(api, worker, turned);
            keys(apiWithKey, api, worker, turned);
            visible(api, worker);
        }
        worker.stop();
        apiWithKey.stop();
        api.stop();
        MemoryCase memory = new MemoryCase(bench);
        memory.run();
        StreamCase stream = new StreamCase(bench);
        stream.run();
        TableCases tables = new TableCases(bench);
        tables.run(); // after which the books don't balance: it fills the tables itself
        for (int round = 0; round < options.rounds(); round++) {
            start();
        }
        return List.of(
                single.comparedTo("at least 0.80 of the echo", ratio -> ratio >= 0.8, false),
                batches.comparedTo("at least 0.80 of the echo", ratio -> ratio >= 0.8, false),
                drain.comparedTo("at least 0.80 of the statement", ratio -> ratio >= 0.8, false),
                endToEnd.comparedTo("at least 0.70 of the limit", ratio -> ratio >= 0.7, false),
                singleAgainstPlain.comparedTo("at least 4 times", ratio -> ratio >= 4, false),
                batchesAgainstPlain.comparedTo("at least 15 times", ratio -> ratio >= 15, false),
                conflicts.comparedTo("at least 0.90 of equal ones", ratio -> ratio >= 0.9, false),
                keys.comparedTo("at least 0.95 of without", ratio -> ratio >= 0.95, false),
                visible.alone(
                        "p50 at most 15 ms, p99 60 ms",
                        visible.median() <= 15 && visible.medianOf("p99 ms") <= 60,
                        false),
                tables.settling(),
                memory.result(),
                tables.reading(),
                tables.readingTheRest(),
                stream.result(),
                start.alone(
                        "API at most 2.5 s, worker 2 s",
                        start.median() <= 2.5 && start.medianOf("worker s") <= 2,
                        false));
    }

    /** Lets every JVM compile what is measured later. */
    private void warmUp(URI api, URI apiWithKey) {
        say("Warming up");
        long millis = options.warmUpSeconds() * 1_000L;
        for (int batch : List.of(1, BATCH)) {
            bench.send(echo, batch, 0, millis);
            bench.send(api, batch, 0, millis);
            bench.awaitSettled(api);
        }
        bench.http().awaitStatus(401, apiWithKey.resolve("/stats"), () -> {});
        for (int batch : List.of(1, BATCH)) {
            bench.sendWithKey(apiWithKey, KEY, batch, millis);
            bench.awaitSettled(api);
        }
        bench.send(plain, 1, 0, millis);
        system.forgetQueue(PlainApplication.QUEUE);
        bench.warmUp(List.of(api.resolve("/events?limit=5&topic=probes")));
        double unused = bench.settlementsPerSecond();
    }

    private CpuTimes cpu(String name, long pid) {
        Map<String, Long> pids = new LinkedHashMap<>();
        pids.put("load", bench.generatorPid());
        pids.put(name, pid);
        pids.putAll(system.storePids());
        return CpuTimes.of(pids);
    }

    /** Requests are answered as fast as they come, with nobody who settles: what taking events in costs. */
    private void publish(Samples samples, int batch, ServiceProcess api, boolean turned) {
        Supplier<Double> ours = () -> {
            CpuTimes before = cpu("API", api.pid());
            Outcome outcome = bench.send(api.uri(), batch);
            samples.cpu("", cpu("API", api.pid()).microsPerEventSince(before, outcome.accepted() * batch));
            samples.detail("p50 ms", outcome.p50Millis());
            samples.detail("p99 ms", outcome.p99Millis());
            return batch * outcome.requestsPerSecond();
        };
        Supplier<Double> echoed = () -> {
            CpuTimes before = cpu("echo", echoProcess.pid());
            Outcome outcome = bench.send(echo, batch);
            samples.cpu(
                    "against: ",
                    cpu("echo", echoProcess.pid()).microsPerEventSince(before, outcome.accepted() * batch));
            return batch * outcome.requestsPerSecond();
        };
        compare(samples, ours, echoed, turned);
    }

    private static void compare(Samples samples, Supplier<Double> ours, Supplier<Double> theirs, boolean turned) {
        double first = (turned ? theirs : ours).get();
        double second = (turned ? ours : theirs).get();
        samples.add(turned ? second : first, turned ? first : second);
        say(samples.last());
    }

    /** A worker that finds a full queue, which filled while it was paused. The first part brings it back to its speed. */
    private void drain(ServiceProcess api, ServiceProcess worker, boolean turned) {
        Supplier<Double> ours = () -> {
            Progress before = system.progress(api.uri());
            fill(api.uri(), options.drained() - (before.received() - before.settled()));
            Progress full = system.progress(api.uri());
            worker.resume();
            long begin = before.settled() + (full.received() - before.settled()) / 4;
            Timed warm = await(() -> system.progress(api.uri()), now -> now.settled() >= begin);
            CpuTimes cpu = cpu("worker", worker.pid());
            Timed empty = await(() -> system.progress(api.uri()), now -> now.settled() == full.received());
            long settled = empty.progress().settled() - warm.progress().settled();
            drain.cpu("", cpu("worker", worker.pid()).microsPerEventSince(cpu, settled));
            return settled / ((empty.nanos() - warm.nanos()) / 1e9);
        };
        Supplier<Double> theirs = () -> {
            CpuTimes before = cpu("statement", ProcessHandle.current().pid());
            double rate = bench.settlementsPerSecond();
            drain.cpu(
                    "against: ", cpu("statement", ProcessHandle.current().pid()).microsPerEventSince(before, (long)
                            (rate * options.seconds())));
            return rate;
        };
        compare(drain, ours, theirs, turned);
    }

    private void fill(URI api, long events) {
        EventSource source = bench.newEvents();
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<Integer>> statuses = new ArrayList<>();
            for (long sent = 0; sent < events; sent += 1_000) {
                statuses.add(threads.submit(() -> bench.http().post(api.resolve("/publish"), source.body(1_000))));
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
    private void endToEnd(ServiceProcess api, ServiceProcess worker, boolean turned) {
        Supplier<Double> ours = () -> {
            CpuTimes apiBefore = cpu("API", api.pid());
            CpuTimes workerBefore = CpuTimes.of(Map.of("worker", worker.pid()));
            Progress before = system.progress(api.uri());
            double rate = settledPerSecond(() -> bench.send(api.uri(), BATCH), () -> system.progress(api.uri()));
            long settled = system.progress(api.uri()).settled() - before.settled();
            endToEnd.cpu("", cpu("API", api.pid()).microsPerEventSince(apiBefore, settled));
            endToEnd.cpu("", CpuTimes.of(Map.of("worker", worker.pid())).microsPerEventSince(workerBefore, settled));
            return rate;
        };
        Supplier<Double> both = () -> {
            CompletableFuture<Outcome> echoed =
                    CompletableFuture.supplyAsync(() -> bench.send(echo, BATCH), Thread::startVirtualThread);
            double settled = bench.settlementsPerSecond();
            double echoedPerSecond = BATCH * echoed.join().requestsPerSecond();
            endToEnd.detail("against: echo", echoedPerSecond);
            endToEnd.detail("against: statement", settled);
            return Math.min(settled, echoedPerSecond);
        };
        compare(endToEnd, ours, both, turned);
    }

    private void againstPlain(URI api, boolean turned) {
        for (int batch : List.of(1, BATCH)) {
            Samples samples = batch == 1 ? singleAgainstPlain : batchesAgainstPlain;
            compare(
                    samples,
                    () -> settledPerSecond(() -> bench.send(api, batch), () -> system.progress(api)),
                    () -> {
                        double rate = settledPerSecond(() -> bench.send(plain, batch), this::plainProgress);
                        system.forgetQueue(PlainApplication.QUEUE); // which would take it minutes
                        return rate;
                    },
                    turned);
            bench.awaitSettled(api);
        }
    }

    /** The same load twice, but for what the duplicates hold: each is compared, and kept, or nothing more is done about it. */
    private void conflicts(ServiceProcess api, ServiceProcess worker, boolean turned) {
        compare(
                conflicts,
                () -> settledPerSecond("", api.uri(), worker, () -> bench.sendConflicts(api.uri())),
                () -> settledPerSecond("against: ", api.uri(), worker, () -> bench.send(api.uri(), BATCH)),
                turned);
        bench.awaitSettled(api.uri());
    }

    /** The same requests, to an API that asks who sends them, and may publish to what topics, and to one that does not. */
    private void keys(ServiceProcess apiWithKey, ServiceProcess api, ServiceProcess worker, boolean turned) {
        worker.pause();
        compare(
                keys,
                () -> published(
                        "", apiWithKey, () -> bench.sendWithKey(apiWithKey.uri(), KEY, 1, options.seconds() * 1_000L)),
                () -> published("against: ", api, () -> bench.send(api.uri(), 1)),
                turned);
        worker.resume();
        bench.awaitSettled(api.uri());
    }

    private double published(String prefix, ServiceProcess api, Supplier<Outcome> sending) {
        CpuTimes before = cpu("API", api.pid());
        Outcome outcome = sending.get();
        keys.cpu(prefix, cpu("API", api.pid()).microsPerEventSince(before, outcome.accepted()));
        return outcome.requestsPerSecond();
    }

    /** Notes what the worker and the stores use, the ends of the load included. */
    private double settledPerSecond(String prefix, URI api, ServiceProcess worker, Supplier<Outcome> sending) {
        CpuTimes before = cpu("worker", worker.pid());
        long settledBefore = system.progress(api).settled();
        double rate = settledPerSecond(sending, () -> system.progress(api));
        conflicts.cpu(
                prefix,
                cpu("worker", worker.pid())
                        .microsPerEventSince(before, system.progress(api).settled() - settledBefore));
        return rate;
    }

    private Progress plainProgress() {
        var counts = bench.http().get(plain.resolve("/settled"));
        return new Progress(counts.get(0).longValue(), counts.get(1).longValue());
    }

    /** From the first event of a load to the last one's settlement, or for as long again as it was sent. */
    private double settledPerSecond(Supplier<Outcome> sending, Supplier<Progress> progress) {
        Progress before = progress.get();
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(sending, Thread::startVirtualThread);
        Timed first = await(progress, now -> now.received() > before.received());
        load.join();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(options.seconds());
        Timed last = await(
                progress,
                now -> now.settled() - before.settled() == now.received() - before.received()
                        || System.nanoTime() > end);
        return (last.progress().settled() - before.settled()) / ((last.nanos() - first.nanos()) / 1e9);
    }

    /**
     * When what was published can be read, while others publish half of what the whole system can take. A probe begins when
     * it is due, whatever became of those before it.
     */
    private void visible(ServiceProcess apiProcess, ServiceProcess worker) {
        URI api = apiProcess.uri();
        CpuTimes before = cpu("API", apiProcess.pid());
        CpuTimes othersBefore = cpuOfWorkerAndProbes(worker);
        Histogram latencies = new ConcurrentHistogram(3);
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(
                () -> bench.send(api, 1, singleAgainstPlain.median() / 2, options.seconds() * 1_000L),
                Thread::startVirtualThread);
        String topic = "probes-" + UUID.randomUUID();
        EventSource probes = new EventSource(topic, options.eventBytes(), 0, false);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (long due = System.nanoTime() + PROBE_NANOS; !load.isDone(); due += PROBE_NANOS) {
                LockSupport.parkNanos(due - System.nanoTime());
                long begin = due;
                running.add(threads.submit(() -> {
                    probe(api, topic, probes.body(1));
                    latencies.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begin));
                }));
            }
            for (Future<?> probe : running) {
                probe.get();
            }
        } catch (Exception e) {
            throw new IllegalStateException("A probe failed", e);
        }
        visible.add(latencies.getValueAtPercentile(50) / 1e3);
        visible.detail("p99 ms", latencies.getValueAtPercentile(99) / 1e3);
        visible.detail("requests/s", load.join().requestsPerSecond());
        long requests = load.join().accepted();
        visible.cpu("", cpu("API", apiProcess.pid()).microsPerEventSince(before, requests));
        visible.cpu("", cpuOfWorkerAndProbes(worker).microsPerEventSince(othersBefore, requests));
        say(visible.last());
        bench.awaitSettled(api);
    }

    private static CpuTimes cpuOfWorkerAndProbes(ServiceProcess worker) {
        return CpuTimes.of(
                Map.of("worker", worker.pid(), "probes", ProcessHandle.current().pid()));
    }

    /** Publishes one event and asks for it until it is there. */
    private void probe(URI api, String topic, byte[] body) {
        String id = Http.JSON.readTree(body).get("event_id").stringValue();
        bench.http().post(api.resolve("/publish"), body);
        long patience = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (bench.http()
                .get(api.resolve("/events?limit=5&topic=" + topic))
                .valueStream()
                .noneMatch(event -> event.get("event_id").stringValue().equals(id))) {
            if (System.nanoTime() > patience) {
                throw new IllegalStateException(id + " does not become visible");
            }
            LockSupport.parkNanos(PROBE_PAUSE_NANOS);
        }
    }

    private void start() {
        long begin = System.nanoTime();
        ServiceProcess api = system.startApi();
        long ready = System.nanoTime();
        ServiceProcess worker = system.startWorker();
        start.add((ready - begin) / 1e9);
        start.detail("worker s", (System.nanoTime() - ready) / 1e9);
        say(start.last());
        worker.stop();
        api.stop();
    }

    @Override
    public void close() {
        echoProcess.close();
        plainProcess.close();
        bench.close();
    }
}
