package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** An ordinary stop or restart of a service, in the middle of the work, takes seconds and keeps everything. */
class RestartIT {
    /** As long as Compose waits (stop_grace_period). */
    private static final Duration STOPPED_WITHIN = Duration.ofSeconds(15);

    private static final int TERMINATED = 143; // 128 + SIGTERM, as of any JVM

    private static long awaitReceived(AggregatorSystem system, long atLeast) {
        return Awaitility.await()
                .atMost(30, TimeUnit.SECONDS)
                .ignoreExceptions()
                .until(() -> system.stats().books().received(), received -> received >= atLeast);
    }

    @Test
    @OwnSystem
    void ofAWorkerLeavesNoLeaseToRunOut(AggregatorSystem system) {
        ServiceProcess worker = system.workers().getFirst();
        long leftToDo = 0;
        for (int i = 0; i < 3; i++) {
            assertThat(system.publish(TestEvents.json(TestEvents.events("t" + i, 10_000)))
                            .statusCode())
                    .isEqualTo(200);
            awaitStopped(worker, terminate(worker));
            assertThat(system.redis().zcard("aggregator:{0}:claims")).isZero();
            leftToDo += system.redis().llen("aggregator:{0}:queue");
            worker.start();
        }
        assertThat(leftToDo).isPositive();
        assertThat(system.awaitSettled()).isEqualTo(new Books(30_000, 30_000, 0, 0, 0, 0, 0));
    }

    @Test
    @OwnSystem(apis = 2, workers = 2)
    void ofEachServiceOneAfterTheOtherUnderLoadFailsNoEvent(AggregatorSystem system) throws Exception {
        AtomicBoolean restarting = new AtomicBoolean(true);
        AtomicInteger runs = new AtomicInteger();
        List<CompletableFuture<Void>> publishers = system.apis().stream()
                .map(api -> CompletableFuture.runAsync(
                        () -> {
                            while (restarting.get()) {
                                PublisherRun run = system.runPublisher(
                                        "--publisher.target=" + api.uri(),
                                        "--publisher.count=2000",
                                        "--publisher.batch-size=5",
                                        "--publisher.rate=400");
                                assertThat(run.status()).as(run.output()).isZero();
                                runs.incrementAndGet();
                            }
                        },
                        Thread::startVirtualThread))
                .toList();
        long held = 0;
        try {
            for (ServiceProcess worker : system.workers()) {
                awaitReceived(system, awaitReceived(system, 1) + 500);
                awaitStopped(worker, terminate(worker));
                worker.start();
                worker.awaitReady();
            }
            for (ServiceProcess api : system.apis().reversed()) {
                awaitReceived(system, awaitReceived(system, 1) + 500);
                held += stopWhileRequestsAreUnderWay(api, "held-" + api.name());
                api.start();
                api.awaitReady();
            }
        } finally {
            restarting.set(false);
        }
        for (CompletableFuture<Void> publisher : publishers) {
            publisher.get();
        }

        Books books = system.awaitSettled();
        long stored = held + 1_400L * runs.get();
        // What was queued without the publisher learning of it was sent again, and is a duplicate.
        assertThat(books.received()).isBetween(held + 2_000L * runs.get(), held + 2_000L * runs.get() + 500);
        assertThat(books).isEqualTo(new Books(books.received(), stored, books.received() - stored, 0, 0, 0, 0));
        system.awaitAcknowledged();
        assertThat(system.redis().keys("aggregator:{0}:claim*")).isEmpty();
    }

    /** Stops an API that has read half the bodies of some requests; gives how many it then took. */
    private static int stopWhileRequestsAreUnderWay(ServiceProcess api, String topic) throws IOException {
        List<HalfSent> requests = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            requests.add(new HalfSent(api, TestEvents.json(TestEvents.event(topic, Integer.toString(i)))));
        }
        CompletableFuture<ProcessHandle> end = terminate(api);
        Awaitility.await().atMost(STOPPED_WITHIN).until(() -> refusesConnections(api));
        for (HalfSent request : requests) {
            assertThat(request.finish()).startsWith("HTTP/1.1 200");
        }
        awaitStopped(api, end);
        return requests.size();
    }

    private static boolean refusesConnections(ServiceProcess api) throws IOException {
        try (Socket socket = new Socket(api.uri().getHost(), api.port())) {
            return !socket.isConnected();
        } catch (ConnectException e) {
            return true;
        }
    }

    /** A request of which the API has read the head, and been sent half the body. */
    private static final class HalfSent {
        private final Socket socket;
        private final String rest;

        HalfSent(ServiceProcess api, String json) throws IOException {
            socket = new Socket(api.uri().getHost(), api.port());
            socket.setSoTimeout(20_000);
            write("POST /publish HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    + "Expect: 100-continue\r\nContent-Length: " + json.length() + "\r\n\r\n");
            String goOn = "HTTP/1.1 100 \r\n\r\n";
            assertThat(new String(socket.getInputStream().readNBytes(goOn.length()), US_ASCII))
                    .isEqualTo(goOn);
            write(json.substring(0, json.length() / 2));
            rest = json.substring(json.length() / 2);
        }

        private void write(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(US_ASCII));
        }

        /** Sends the rest, and gives the answer. */
        String finish() throws IOException {
            try (socket) {
                write(rest);
                return new String(socket.getInputStream().readAllBytes(), US_ASCII);
            }
        }
    }

    /** Asks a service to stop (SIGTERM); done when it has. */
    private static CompletableFuture<ProcessHandle> terminate(ServiceProcess service) {
        ProcessHandle process = ProcessHandle.of(service.pid()).orElseThrow();
        assertThat(process.destroy()).isTrue();
        return process.onExit();
    }

    private static void awaitStopped(ServiceProcess service, CompletableFuture<ProcessHandle> end) {
        assertThat(end).as(() -> whatItDoes(service)).succeedsWithin(STOPPED_WITHIN);
        service.stop(); // which knows of it now
        assertThat(service.exitStatus()).isEqualTo(TERMINATED);
    }

    private static String whatItDoes(ServiceProcess service) {
        try {
            Process jcmd = new ProcessBuilder(
                            System.getProperty("java.home") + "/bin/jcmd", Long.toString(service.pid()), "Thread.print")
                    .redirectErrorStream(true)
                    .start();
            try (var threads = jcmd.inputReader()) {
                return service.logTail() + "\n"
                        + String.join("\n", threads.lines().toList());
            }
        } catch (IOException e) {
            return service.logTail() + "\n" + e;
        }
    }
}
