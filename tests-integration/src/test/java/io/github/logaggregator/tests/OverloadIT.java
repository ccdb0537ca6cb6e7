package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import java.io.IOException;
import java.io.OutputStream;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** More than the API can take: it answers every connection, and its memory stays bounded. */
class OverloadIT {
    private static final int CONNECTIONS = 300;
    private static final Duration LASTING = Duration.ofSeconds(6);
    private static final int REFUSED_AT_CONNECT = 0;
    private static final int CUT_OFF = -1;
    private static final int HEAP = 128 << 20;

    @Test
    @OwnSystem(apis = 0)
    void isAnsweredInLittleMemoryWhetherRedisAnswersOrNot(AggregatorSystem system) throws Exception {
        ServiceProcess api = system.startApi(LaunchOptions.defaults()
                .withJvmOptions("-Xmx" + HEAP, "-XX:MaxDirectMemorySize=64m")
                .withArguments(
                        "--api.max-request-size=4MB", "--api.max-bodies-in-hand=12MB", "--api.queue.max-size=64MB"));
        long pid = api.pid();
        Load load = new Load(api);

        Map<Integer, Integer> statuses = load.run();
        assertThat(statuses.keySet()).as("%s", statuses).isSubsetOf(Set.of(REFUSED_AT_CONNECT, 200, 413, 429, 503));
        assertThat(statuses).containsKeys(200, 503);
        assertThat(load.bytesSent.get()).isGreaterThan(4L * HEAP);

        // What Redis does not take must not pile up before it.
        system.redisStore().pause();
        try {
            statuses = load.run();
        } finally {
            system.redisStore().resume();
        }
        assertThat(statuses.keySet()).as("%s", statuses).isSubsetOf(Set.of(REFUSED_AT_CONNECT, 413, 503));
        assertThat(statuses).containsKey(503);

        api.awaitReady();
        assertThat(load.post(Load.GZIP, Load.GIBIBYTE_OF_ZEROS)).isEqualTo(413);
        assertThat(api.pid()).isEqualTo(pid);
        assertThat(api.log()).doesNotContain("OutOf");
        assertThat(system.awaitSettled().unaccounted()).isZero();
        assertThat(Set.copyOf(system.jdbc()
                        .sql("SELECT event_id FROM events")
                        .query(String.class)
                        .list()))
                .containsAll(load.taken);
        assertThat(system.publish(TestEvents.json(TestEvents.event("t", "after")))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    @OwnSystem(apis = 0, workers = 0)
    void ofBodiesThatStopComingIsEndedByATimeOut(AggregatorSystem system) throws IOException {
        ServiceProcess api =
                system.startApi(LaunchOptions.defaults().withArguments("--server.tomcat.connection-timeout=1s"));
        String line = TestEvents.json(TestEvents.event("t", "1")) + "\n";
        for (String start :
                List.of("json\r\nContent-Length: 9\r\n\r\n{", "x-ndjson\r\nContent-Length: 999\r\n\r\n" + line)) {
            try (Socket socket = new Socket(api.uri().getHost(), api.port())) {
                socket.setSoTimeout(20_000);
                socket.getOutputStream()
                        .write(("POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/" + start)
                                .getBytes(US_ASCII));
                assertThat(new String(socket.getInputStream().readAllBytes(), US_ASCII))
                        .startsWith("HTTP/1.1 408 ")
                        .contains("Connection: close\r\n", "application/problem+json", "\"title\":\"Request Timeout\"");
            }
        }
        assertThat(api.log()).doesNotContain("WARN");
        assertThat(system.stats().books().received()).isZero();
    }

    /** Connections that send one large body after the other, each on a connection of its own. */
    private static final class Load {
        private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
        private static final String GZIP = "Content-Encoding: gzip\r\n";
        private static final byte[] TAIL = ("x".repeat(1 << 20) + "\"}}").getBytes(US_ASCII);
        private static final byte[] SPACES = " ".repeat(2 << 20).getBytes(US_ASCII);
        private static final byte[] ZIPPED_TAIL = GzipIT.gzip(TAIL);
        private static final byte[] GIBIBYTE_OF_ZEROS = GzipIT.repeat(GzipIT.gzip(new byte[16 << 20]), 64);

        final AtomicLong bytesSent = new AtomicLong();
        final Set<String> taken = ConcurrentHashMap.newKeySet();
        private final AtomicInteger ids = new AtomicInteger();
        private final ServiceProcess api;

        Load(ServiceProcess api) {
            this.api = api;
        }

        /** How often each status was answered. */
        Map<Integer, Integer> run() throws Exception {
            Map<Integer, Integer> statuses = new ConcurrentHashMap<>();
            long end = System.nanoTime() + LASTING.toNanos();
            try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
                List<Future<?>> connections = new ArrayList<>();
                for (int i = 0; i < CONNECTIONS; i++) {
                    connections.add(threads.submit(() -> {
                        do {
                            statuses.merge(publish(ids.getAndIncrement()), 1, Integer::sum);
                        } while (System.nanoTime() < end);
                        return true;
                    }));
                }
                for (Future<?> connection : connections) {
                    connection.get();
                }
            }
            return statuses;
        }

        private int publish(int number) throws IOException {
            String id = Integer.toString(number);
            String json = TestEvents.json(TestEvents.event("t", id));
            byte[] event = (json.substring(0, json.lastIndexOf("500")) + '"').getBytes(UTF_8);
            int status = switch (number % 10) {
                case 0 -> post(CHUNKED, event, TAIL, SPACES);
                case 1 -> post(CHUNKED, event, TAIL, SPACES, SPACES);
                case 2 -> post(GZIP, GIBIBYTE_OF_ZEROS);
                case 3, 4 -> post(GZIP, GzipIT.gzip(event), ZIPPED_TAIL);
                case 5 -> post("", event, TAIL, SPACES);
                default -> post("", event, TAIL);
            };
            if (status == 200) {
                taken.add(id);
            }
            return status;
        }

        /** The status of the answer to a body, of which the length is told unless it is sent in chunks. */
        private int post(String header, byte[]... parts) throws IOException {
            boolean chunked = header.equals(CHUNKED);
            String length = "Content-Length: "
                    + Stream.of(parts).mapToInt(part -> part.length).sum() + "\r\n";
            try (Socket socket = new Socket()) {
                try {
                    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), api.port()), 30_000);
                } catch (ConnectException | SocketTimeoutException e) {
                    return REFUSED_AT_CONNECT;
                }
                socket.setSoTimeout(60_000);
                OutputStream out = socket.getOutputStream();
                out.write(
                        ("POST /publish HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                                        + header + (chunked ? "" : length) + "\r\n")
                                .getBytes(US_ASCII));
                for (byte[] part : parts) {
                    if (chunked) {
                        out.write((Integer.toHexString(part.length) + "\r\n").getBytes(US_ASCII));
                    }
                    out.write(part);
                    out.write((chunked ? "\r\n" : "").getBytes(US_ASCII));
                    bytesSent.addAndGet(part.length);
                }
                out.write((chunked ? "0\r\n\r\n" : "").getBytes(US_ASCII));
                String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
                return answer.startsWith("HTTP/1.1 ") ? Integer.parseInt(answer.substring(9, 12)) : CUT_OFF;
            } catch (SocketException e) {
                return CUT_OFF;
            }
        }
    }
}
