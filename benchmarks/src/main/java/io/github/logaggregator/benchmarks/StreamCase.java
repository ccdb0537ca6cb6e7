package io.github.logaggregator.benchmarks;

import static io.github.logaggregator.benchmarks.Workbench.BATCH;
import static io.github.logaggregator.benchmarks.Workbench.say;

import io.github.logaggregator.benchmarks.LoadGenerator.Outcome;
import io.github.logaggregator.localstack.ServiceProcess;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * How long an event takes from a publisher to its subscriber, while a thousand subscribe, each to a topic of its own, and
 * others publish 10,000 events a second; and what a subscriber costs to whom nothing is sent.
 */
final class StreamCase {
    private static final int SUBSCRIBERS = 1_000;
    private static final int EVENTS_PER_SECOND = 10_000;
    private static final long PROBE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Workbench bench;
    private final Samples latency = new Samples("publish to one of 1,000 subscribers, at 10,000 events/s", "ms");
    private final String topics = "stream-" + UUID.randomUUID() + "-";

    /** The probes under way, by event_id: done when their subscriber has got them. */
    private final Map<String, CompletableFuture<Void>> probes = new ConcurrentHashMap<>();

    StreamCase(Workbench bench) {
        this.bench = bench;
    }

    Case result() {
        return latency.alone("p99 at most 100 ms", latency.medianOf("p99 ms") <= 100, false);
    }

    void run() {
        ServiceProcess api = bench.system().startApi();
        ServiceProcess worker = bench.system().startWorker();
        bench.send(
                api.uri(),
                BATCH,
                (double) EVENTS_PER_SECOND / BATCH,
                bench.options().warmUpSeconds() * 1_000L);
        bench.awaitSettled(api.uri());
        long before = MemoryCase.residentBytes(api.pid());
        ExecutorService subscribers = Executors.newVirtualThreadPerTaskExecutor();
        CountDownLatch begun = new CountDownLatch(SUBSCRIBERS);
        for (int i = 0; i < SUBSCRIBERS; i++) {
            URI stream = api.uri().resolve("/events/stream?topic=" + topics + i);
            subscribers.execute(() -> bench.http().lines(stream, line -> read(line, begun)));
        }
        try {
            if (!begun.await(1, TimeUnit.MINUTES)) {
                throw new IllegalStateException(begun.getCount() + " streams did not begin");
            }
            double bytes = (double) (MemoryCase.residentBytes(api.pid()) - before) / SUBSCRIBERS;
            for (int round = 0; round < bench.options().rounds(); round++) {
                latency.detail("API KiB for each subscriber", bytes / 1024);
                measure(api, worker);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
        worker.stop();
        api.stop(); // which ends the streams
        subscribers.close();
    }

    /** Of each stream the first line is there before any event. */
    private void read(String line, CountDownLatch begun) {
        if (line.startsWith("retry:")) {
            begun.countDown();
        } else if (line.startsWith("data: ")) {
            CompletableFuture<Void> probe = probes.remove(Http.JSON
                    .readTree(line.substring("data: ".length()))
                    .get("event_id")
                    .stringValue());
            if (probe != null) {
                probe.complete(null);
            }
        }
    }

    /** A probe begins when it is due, whatever became of those before it. */
    private void measure(ServiceProcess api, ServiceProcess worker) {
        Map<String, Long> pids = Map.of("API", api.pid(), "worker", worker.pid());
        CpuTimes before = CpuTimes.of(pids);
        Histogram latencies = new ConcurrentHistogram(3);
        CompletableFuture<Outcome> load = CompletableFuture.supplyAsync(
                () -> bench.send(
                        api.uri(),
                        BATCH,
                        (double) EVENTS_PER_SECOND / BATCH,
                        bench.options().seconds() * 1_000L),
                Thread::startVirtualThread);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (long due = System.nanoTime() + PROBE_NANOS; !load.isDone(); due += PROBE_NANOS) {
                LockSupport.parkNanos(due - System.nanoTime());
                long begin = due;
                running.add(threads.submit(() -> {
                    probe(api.uri());
                    latencies.recordValue(TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - begin));
                }));
            }
            for (Future<?> probe : running) {
                probe.get();
            }
        } catch (Exception e) {
            throw new IllegalStateException("A probe failed", e);
        }
        latency.add(latencies.getValueAtPercentile(50) / 1e3);
        latency.detail("p99 ms", latencies.getValueAtPercentile(99) / 1e3);
        latency.detail("events/s", BATCH * load.join().requestsPerSecond());
        latency.cpu(
                "",
                CpuTimes.of(pids)
                        .microsPerEventSince(before, BATCH * load.join().accepted()));
        say(latency.last());
        bench.awaitSettled(api.uri());
    }

    private void probe(URI api) {
        String topic = topics + ThreadLocalRandom.current().nextInt(SUBSCRIBERS);
        byte[] body = new EventSource(topic, bench.options().eventBytes(), 0, false).body(1);
        CompletableFuture<Void> received = new CompletableFuture<>();
        probes.put(Http.JSON.readTree(body).get("event_id").stringValue(), received);
        bench.http().post(api.resolve("/publish"), body);
        received.orTimeout(1, TimeUnit.MINUTES).join();
    }
}
