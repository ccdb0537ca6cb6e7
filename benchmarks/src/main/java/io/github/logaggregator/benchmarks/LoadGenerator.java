package io.github.logaggregator.benchmarks;

import static io.hyperfoil.http.steps.HttpStepCatalog.SC;

import io.hyperfoil.api.config.BenchmarkBuilder;
import io.hyperfoil.api.config.PhaseBuilder;
import io.hyperfoil.api.statistics.StatisticsSnapshot;
import io.hyperfoil.core.impl.LocalSimulationRunner;
import io.hyperfoil.http.api.HttpMethod;
import io.hyperfoil.http.config.HttpPluginBuilder;
import io.hyperfoil.http.config.Protocol;
import io.hyperfoil.http.statistics.HttpStats;
import io.netty.buffer.Unpooled;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * Sends events to one address, as a process of its own that stays warm from load to load. Closed: so many connections
 * that each send the next request when the one before is answered. Open: so many requests a second, whatever the answers
 * take; latencies then count from when a request was due.
 */
final class LoadGenerator {
    private static final String PHASE = "load";
    private static final JsonMapper JSON = new JsonMapper();

    private LoadGenerator() {}

    /**
     * What to send.
     *
     * @param target the URI that is posted to
     * @param key that each request carries; null for none
     * @param topic of all events
     * @param batch events of a request
     * @param eventBytes size of an event
     * @param duplicateShare share of the events that were sent before
     * @param conflicting whether these have another content then
     * @param connections kept alive
     * @param requestsPerSecond 0 for a closed load
     * @param millis how long to send
     */
    record Load(
            URI target,
            @Nullable String key,
            String topic,
            int batch,
            int eventBytes,
            double duplicateShare,
            boolean conflicting,
            int connections,
            double requestsPerSecond,
            long millis) {}

    /**
     * What came of it.
     *
     * @param accepted requests answered with 2xx
     * @param failed requests answered otherwise, or not at all
     * @param seconds how long it was sent
     * @param p50Millis latency that half of the requests stayed within
     * @param p99Millis latency that 99 % stayed within
     */
    record Outcome(long accepted, long failed, double seconds, double p50Millis, double p99Millis) {
        double requestsPerSecond() {
            return accepted / seconds;
        }
    }

    /** Takes a {@link Load} on each line, and answers it with a line that has its {@link Outcome}, both as JSON. */
    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err); // what libraries print is no answer
        BufferedReader loads = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String load = loads.readLine(); load != null; load = loads.readLine()) {
            answers.println(JSON.writeValueAsString(run(JSON.readValue(load, Load.class))));
        }
        System.exit(0); // the client's threads stay
    }

    private static Outcome run(Load load) {
        EventSource events =
                new EventSource(load.topic(), load.eventBytes(), load.duplicateShare(), load.conflicting());
        URI target = load.target();
        BenchmarkBuilder benchmark = BenchmarkBuilder.builder()
                .name("load")
                .threads(1)
                .addPlugin(HttpPluginBuilder::new)
                .ergonomics()
                .repeatCookies(false)
                .userAgentFromSession(false)
                .endErgonomics()
                .http()
                .protocol(Protocol.HTTP)
                .host(target.getHost())
                .port(target.getPort())
                .sharedConnections(load.connections())
                .endHttp()
                .endPlugin();
        PhaseBuilder.Catalog catalog = benchmark.addPhase(PHASE);
        PhaseBuilder<?> phase = load.requestsPerSecond() == 0
                ? catalog.always(load.connections())
                : catalog.constantRate(0).usersPerSec(load.requestsPerSecond()).maxSessions((int)
                        (10 * load.requestsPerSecond()));
        phase.duration(load.millis())
                .maxDuration(load.millis() + TimeUnit.MINUTES.toMillis(1))
                .scenario()
                .maxRequests(1)
                .maxSequences(1)
                .initialSequence("publish")
                .step(SC)
                .httpRequest(HttpMethod.POST)
                .path(target.getPath())
                .headerAppender((session, request) -> {
                    request.putHeader("content-type", "application/json");
                    if (load.key() != null) {
                        request.putHeader("authorization", "Bearer " + load.key());
                    }
                })
                .body((session, connection) -> Unpooled.wrappedBuffer(events.body(load.batch())))
                .timeout(1, TimeUnit.MINUTES)
                .endStep()
                .endSequence()
                .endScenario();

        StatisticsSnapshot total = new StatisticsSnapshot();
        new LocalSimulationRunner(
                        benchmark.build(),
                        (ofPhase, step, metric, snapshot, countDown) -> {
                            synchronized (total) {
                                total.add(snapshot);
                            }
                        },
                        null,
                        null)
                .run();
        synchronized (total) {
            HttpStats http = HttpStats.get(total);
            return new Outcome(
                    http.status_2xx,
                    total.requestCount - http.status_2xx,
                    load.millis() / 1e3,
                    total.histogram.getValueAtPercentile(50) / 1e6,
                    total.histogram.getValueAtPercentile(99) / 1e6);
        }
    }
}
