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
import java.net.URI;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;

/**
 * Sends events to one address, as a process of its own. Closed: so many connections that each send the next request when
 * the one before is answered. Open: so many requests a second, whatever the answers take; latencies then count from when
 * a request was due.
 */
final class LoadGenerator {
    private static final String WARM_UP = "warm-up";
    private static final String MEASURED = "measured";

    private LoadGenerator() {}

    /**
     * What to send.
     *
     * @param target the URI that is posted to
     * @param topic of all events
     * @param batch events of a request
     * @param eventBytes size of an event
     * @param duplicateShare share of the events that were sent before
     * @param connections kept alive
     * @param requestsPerSecond 0 for a closed load
     * @param warmUpMillis how long to send before anything is counted; may be 0
     * @param millis how long to send what is counted
     */
    record Load(
            URI target,
            String topic,
            int batch,
            int eventBytes,
            double duplicateShare,
            int connections,
            double requestsPerSecond,
            long warmUpMillis,
            long millis) {}

    /**
     * What came of it.
     *
     * @param accepted requests answered with 2xx while it was counted
     * @param failed requests answered otherwise, or not at all
     * @param seconds how long it was counted
     * @param distinct how many different events were sent, from the beginning of the warm-up
     * @param p50Millis latency that half of the requests stayed within
     * @param p99Millis latency that 99 % stayed within
     */
    record Outcome(long accepted, long failed, double seconds, long distinct, double p50Millis, double p99Millis) {
        double requestsPerSecond() {
            return accepted / seconds;
        }
    }

    /** Takes a {@link Load} as JSON, and writes an {@link Outcome} as JSON, on the last line. */
    public static void main(String[] arguments) {
        JsonMapper json = new JsonMapper();
        System.out.println("\n" + json.writeValueAsString(run(json.readValue(arguments[0], Load.class))));
        System.exit(0); // the client's threads stay
    }

    private static Outcome run(Load load) {
        EventSource events = new EventSource(load.topic(), load.eventBytes(), load.duplicateShare());
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
        if (load.warmUpMillis() > 0) {
            send(load, events, phase(load, benchmark, WARM_UP), load.warmUpMillis());
        }
        PhaseBuilder<?> measured = phase(load, benchmark, MEASURED);
        send(load, events, measured, load.millis());
        if (load.warmUpMillis() > 0) {
            measured.startAfterStrict(WARM_UP);
        }

        StatisticsSnapshot total = new StatisticsSnapshot();
        new LocalSimulationRunner(
                        benchmark.build(),
                        (phase, step, metric, snapshot, countDown) -> {
                            if (phase.name().equals(MEASURED)) {
                                synchronized (total) {
                                    total.add(snapshot);
                                }
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
                    events.distinct(),
                    total.histogram.getValueAtPercentile(50) / 1e6,
                    total.histogram.getValueAtPercentile(99) / 1e6);
        }
    }

    private static PhaseBuilder<?> phase(Load load, BenchmarkBuilder benchmark, String name) {
        PhaseBuilder.Catalog catalog = benchmark.addPhase(name);
        return load.requestsPerSecond() == 0
                ? catalog.always(load.connections())
                : catalog.constantRate(0).usersPerSec(load.requestsPerSecond()).maxSessions((int)
                        (10 * load.requestsPerSecond()));
    }

    private static void send(Load load, EventSource events, PhaseBuilder<?> phase, long millis) {
        phase.duration(millis)
                .maxDuration(millis + TimeUnit.MINUTES.toMillis(1))
                .scenario()
                .maxRequests(1)
                .maxSequences(1)
                .initialSequence("publish")
                .step(SC)
                .httpRequest(HttpMethod.POST)
                .path(load.target().getPath())
                .headerAppender((session, request) -> request.putHeader("content-type", "application/json"))
                .body((session, connection) -> Unpooled.wrappedBuffer(events.body(load.batch())))
                .timeout(1, TimeUnit.MINUTES)
                .endStep()
                .endSequence()
                .endScenario();
    }
}
