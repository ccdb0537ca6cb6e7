package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.logaggregator.localstack.Ports;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import io.github.logaggregator.tests.LossyProxy.HeldReply;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/** The clients of docs/clients.md, run as they stand there, bring every event into the inbox, and none twice. */
@OwnSystem
class ClientsIT {
    private static final Path UNPACKED = AggregatorSystem.ROOT.resolve("target/clients/bin");
    private static final String DEFAULT_INBOX = "http://localhost:8080";
    private static final String UNAVAILABLE = "unavailable";
    private static final String INVALID = "invalid";
    private static final String TOO_LONG = "x".repeat(256);

    private static AggregatorSystem system;
    private static LossyProxy fromClients;

    private final List<Process> started = new ArrayList<>();
    private Path folder;
    private Books before;

    /** A client that sends the one event that it reads. */
    enum OneEventClient {
        CURL("curl", "curl"),
        JAVA("Java", "javac"),
        PYTHON("Python", "python3"),
        NODE("Node.js", "node");

        private final String title;
        private final String tool;

        OneEventClient(String title, String tool) {
            this.title = title;
            this.tool = tool;
        }
    }

    @BeforeAll
    static void startBehindAProxy(AggregatorSystem own) {
        system = own;
        fromClients = new LossyProxy(system.api().getHost(), system.api().getPort());
    }

    @AfterAll
    static void closeProxy() {
        fromClients.close();
    }

    @BeforeEach
    void begin(@TempDir Path empty) {
        folder = empty;
        before = system.awaitSettled();
    }

    @AfterEach
    void endWhatWasStarted() {
        started.forEach(ClientsIT::kill);
        fromClients.passOn();
        startRedis(); // if it was a failure that left it stopped
    }

    @ParameterizedTest
    @EnumSource
    void bringsAnEventInAndWhenRunAgainADuplicate(OneEventClient client) throws IOException {
        Event event = save(client, AggregatorSystem.newTopic());
        assertThat(status(send(client))).as(output()).isZero();
        assertThat(status(send(client))).as(output()).isZero();

        assertThat(change()).isEqualTo(new Books(2, 1, 1, 0, 0, 0, 0));
        assertThat(system.eventsOf(event.topic())).singleElement().satisfies(stored -> {
            assertThat(stored.eventId()).isEqualTo(event.eventId());
            assertThat(stored.timestamp()).isEqualTo(event.timestamp());
            assertThat(stored.source()).isEqualTo(event.source());
            assertThat(TestEvents.tree(stored.payload())).isEqualTo(TestEvents.tree(event.payload()));
        });
    }

    @ParameterizedTest
    @EnumSource
    void sendsAgainWhatItGotNoReplyTo(OneEventClient client) throws IOException {
        Event event = save(client, AggregatorSystem.newTopic());
        HeldReply reply = fromClients.holdReply(event.topic());
        Process sending = send(client);
        reply.await();
        await(() -> system.eventsOf(event.topic()).size() == 1);
        reply.cut();

        assertThat(status(sending)).as(output()).isZero();
        assertThat(change()).isEqualTo(new Books(2, 1, 1, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @EnumSource
    void sendsAgainWhenTheInboxIsAwayAndWaitsAsLongAsItSays(OneEventClient client) throws IOException {
        Event event = save(client, AggregatorSystem.newTopic());
        system.redisStore().stop();
        double refusedBefore = refused(UNAVAILABLE);
        Process sending = send(client);
        await(() -> refused(UNAVAILABLE) == refusedBefore + 1);
        long first = System.nanoTime();
        await(() -> refused(UNAVAILABLE) == refusedBefore + 2);
        assertThat(Duration.ofNanos(System.nanoTime() - first)).isGreaterThan(Duration.ofMillis(900));
        startRedis();

        assertThat(status(sending)).as(output()).isZero();
        assertThat(change()).isEqualTo(new Books(1, 1, 0, 0, 0, 0, 0));
        assertThat(system.eventsOf(event.topic())).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void reportsWhatIsRefusedAndDoesNotSendItAgain(OneEventClient client) throws IOException {
        save(client, TOO_LONG);
        double refusedBefore = refused(INVALID);

        assertThat(status(send(client))).isNotZero();
        assertThat(output()).contains("422", "must have 1 to 255 characters");
        assertThat(refused(INVALID)).isEqualTo(refusedBefore + 1);
        assertThat(change()).isEqualTo(new Books(0, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void aLogThatIsRotatedLosesNoLineAndHasNoneTwiceWhenItsFollowerIsKilled() throws IOException {
        Stream.of("curl", "flock", "iconv").forEach(ClientsIT::assumeTool);
        ClientExample.of("A log file").saveIn(folder);
        Path log = folder.resolve("app.log");
        byte[] odd = "tab\t quote\" back\\ \u001b[1m é 😀 \0?\n".getBytes(UTF_8);
        odd[odd.length - 2] = (byte) 0xff;
        append(log, odd);
        append(log, lines(0, 1_500));
        Process follower = follow(log);
        await(() -> stored() == 1_501);
        append(log, "half a line".getBytes(UTF_8));

        // It is killed when its lines are stored and it has not learned of it.
        HeldReply reply = fromClients.holdReply("half a line, whole");
        append(log, ", whole\n".getBytes(UTF_8));
        append(log, lines(1_500, 1_600));
        reply.await();
        await(() -> stored() == 1_602);
        kill(follower);
        reply.cut();
        append(log, lines(1_600, 1_700));
        Files.move(log, folder.resolve("app.log.1"));
        append(log, lines(1_700, 1_800));
        Files.move(folder.resolve("app.log.1"), folder.resolve("app.log.2"));
        Files.move(log, folder.resolve("app.log.1"));
        append(log, lines(1_800, 1_900));
        follow(log);
        await(() -> stored() == 1_902);

        // It is rotated while the inbox is away.
        system.redisStore().stop();
        double refusedBefore = refused(UNAVAILABLE);
        append(log, lines(1_900, 2_000));
        await(() -> refused(UNAVAILABLE) > refusedBefore);
        Files.move(log, folder.resolve("app.log-20251208"));
        append(log, lines(2_000, 2_100));
        startRedis();
        await(() -> stored() == 2_102);

        assertThat(payloads("logs", "line"))
                .containsExactlyInAnyOrderElementsOf(Stream.concat(
                                Stream.of("tab\t quote\" back\\ \u001b[1m é 😀 ", "half a line, whole"),
                                new String(lines(0, 2_100), UTF_8).lines())
                        .toList());
        assertThat(change().duplicates()).isPositive();
        assertThat(change().conflicting()).isZero();
    }

    @Test
    void aFollowerSkipsNothingThatIsRefused() throws IOException {
        Stream.of("curl", "flock", "iconv").forEach(ClientsIT::assumeTool);
        ClientExample.of("A log file")
                .with("\"topic\\\": \\\"logs", "\"topic\\\": \\\"" + TOO_LONG)
                .saveIn(folder);
        Path log = folder.resolve("app.log");
        append(log, lines(0, 10));
        double refusedBefore = refused(INVALID);

        assertThat(status(follow(log))).isNotZero();
        assertThat(output()).contains("must have 1 to 255 characters");
        assertThat(refused(INVALID)).isEqualTo(refusedBefore + 1);
        assertThat(Files.readString(folder.resolve("state/batch")).lines()).hasSize(10);
    }

    @ParameterizedTest
    @EnumSource
    void aSyslogLosesNoMessageAndHasNoneTwiceWhenTheInboxIsAwayAndItsDaemonEnds(SyslogDaemon daemon)
            throws IOException {
        int port = save(daemon);
        Process running = start(daemon);
        log(port, "web1", daemon + " \"quoted\" back\\slash é 😀");
        await(() -> stored() == 1);

        holdReplyToMessage(daemon, port, "without a reply").cut();
        await(() -> change().duplicates() >= 1);

        HeldReply reply = holdReplyToMessage(daemon, port, "before a kill");
        kill(running);
        reply.cut();
        long duplicates = change().duplicates();
        running = start(daemon);
        await(() -> change().duplicates() > duplicates);

        system.redisStore().stop();
        double refusedBefore = refused(UNAVAILABLE);
        for (int i = 0; i < 10; i++) {
            log(port, "web1", daemon + " before a stop " + i);
        }
        await(() -> refused(UNAVAILABLE) > refusedBefore);
        running.destroy();
        status(running);
        startRedis();
        start(daemon);
        log(port, "web1", daemon + " afterwards");
        await(() -> stored() == 14);

        assertThat(change().conflicting()).isZero();
        assertThat(payloads("syslog", "message").filter(message -> message.startsWith(daemon.toString())))
                .hasSize(14)
                .doesNotHaveDuplicates()
                .contains(daemon + " \"quoted\" back\\slash é 😀", daemon + " before a kill", daemon + " afterwards");
    }

    /** Sends a message of which the daemon does not learn that it is stored. */
    private HeldReply holdReplyToMessage(SyslogDaemon daemon, int port, String message) {
        long storedBefore = stored();
        HeldReply reply = fromClients.holdReply(message);
        log(port, "web1", daemon + " " + message);
        reply.await();
        await(() -> stored() == storedBefore + 1);
        return reply;
    }

    @ParameterizedTest
    @EnumSource
    void aSyslogReportsWhatIsRefusedAndGoesOn(SyslogDaemon daemon) throws IOException {
        int port = save(daemon);
        start(daemon);
        double refusedBefore = refused(INVALID);
        log(port, daemon.hostTooLong(), "refused");
        await(() -> refused(INVALID) == refusedBefore + 1);
        log(port, "web1", "taken");
        await(() -> stored() == 1);

        Event event = system.events("?topic=syslog&limit=1").events().getFirst();
        assertThat(event.source()).isEqualTo("web1");
        JsonNode payload = TestEvents.tree(event.payload());
        assertThat(payload.get("message").stringValue()).isEqualTo("taken");
        assertThat(payload.get("program").stringValue()).isEqualTo("shop");
        assertThat(payload.get("severity").stringValue()).isEqualTo("notice");
        assertThat(output()).contains("422");
        assertThat(refused(INVALID)).isEqualTo(refusedBefore + 1);
    }

    /** Saves the example and the page's event, with a topic of the test's. */
    private Event save(OneEventClient client, String topic) throws IOException {
        assumeTool(client.tool);
        ClientExample.of(client.title).saveIn(folder);
        ClientExample.of("What a right client does")
                .with("\"orders\"", "\"" + topic + "\"")
                .saveIn(folder);
        JsonNode event = TestEvents.tree(Files.readString(folder.resolve("event.json")));
        return new Event(
                topic,
                event.get("event_id").stringValue(),
                Instant.parse(event.get("timestamp").stringValue()),
                event.get("source").stringValue(),
                event.get("payload").toString());
    }

    private Process send(OneEventClient client) throws IOException {
        return start(List.of("sh", "-c", ClientExample.of(client.title).command()));
    }

    private Process follow(Path log) throws IOException {
        return start(List.of(
                "sh", "follow.sh", log.toString(), folder.resolve("state").toString()));
    }

    /** Saves the example and a configuration around it; gives the port at which messages will be taken. */
    private int save(SyslogDaemon daemon) throws IOException {
        assumeTrue(
                Files.exists(UNPACKED.resolve(daemon.program())),
                daemon.program() + " is not there; .ci/install-clients gets it on Debian");
        assumeTool("/usr/bin/python3");
        int port = Ports.free();
        daemon.in(folder, ClientExample.of(daemon.title()).with(DEFAULT_INBOX, inbox()))
                .saveIn(folder);
        Files.writeString(folder.resolve(SyslogDaemon.MAIN), daemon.configuration(folder, port));
        return port;
    }

    private Process start(SyslogDaemon daemon) throws IOException {
        return start(Stream.concat(
                        Stream.of(UNPACKED.resolve(daemon.program()).toString()), daemon.arguments(folder).stream())
                .toList());
    }

    private Process start(List<String> command) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command).directory(folder.toFile());
        builder.environment().put("INBOX", inbox());
        builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        folder.resolve(SyslogDaemon.REPORT).toFile()));
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private static String inbox() {
        return "http://127.0.0.1:" + fromClients.port();
    }

    /** Sends a message as of RFC 3164, as soon as somebody listens. */
    private static void log(int port, String host, String message) {
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> {
                    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                        socket.getOutputStream()
                                .write(("<13>Dec  8 10:00:00 " + host + " shop: " + message + "\n").getBytes(UTF_8));
                        return true;
                    }
                });
    }

    private static void append(Path log, byte[] bytes) throws IOException {
        Files.write(log, bytes, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private static byte[] lines(int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> "line " + i + "\n")
                .collect(Collectors.joining())
                .getBytes(UTF_8);
    }

    /** What the processes have written, and what was reported. */
    private String output() throws IOException {
        return Files.readString(folder.resolve(SyslogDaemon.REPORT));
    }

    private static int status(Process process) {
        assertThat(process.onExit()).succeedsWithin(30, TimeUnit.SECONDS);
        return process.exitValue();
    }

    private static void kill(Process process) {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroyForcibly();
        children.forEach(ProcessHandle::destroyForcibly);
        process.onExit().join();
    }

    private static void startRedis() {
        system.redisStore().start();
        system.redisStore().awaitReady();
    }

    /** What has been added to the books since the test began, once all is settled. */
    private Books change() {
        return AggregatorSystem.change(before, system.awaitSettled());
    }

    private long stored() {
        return change().stored();
    }

    private static Stream<String> payloads(String topic, String key) {
        return system.allEvents("?topic=" + topic).stream()
                .map(event -> TestEvents.tree(event.payload()).get(key).stringValue());
    }

    /** How many requests the API has refused for a reason, by its own count. */
    private static double refused(String reason) {
        return system.metrics(system.apis().getFirst())
                .lines()
                .filter(line -> line.startsWith("aggregator_events_rejected_total{reason=\"" + reason + "\""))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static void assumeTool(String name) {
        assumeTrue(
                Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .anyMatch(folder -> Files.isExecutable(Path.of(folder).resolve(name))),
                name + " is not there");
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(60, TimeUnit.SECONDS)
                .pollInterval(Duration.ofMillis(20))
                .until(condition);
    }
}
