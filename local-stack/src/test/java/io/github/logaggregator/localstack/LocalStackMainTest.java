package io.github.logaggregator.localstack;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The real stores under {@link StandInService}s, started as Maven does it. */
class LocalStackMainTest {
    private static final Duration START = Duration.ofMinutes(2);
    private static final Duration END = Duration.ofSeconds(10);

    @TempDir
    private Path root;

    private final Map<String, Integer> ports = new LinkedHashMap<>();
    private Path output;
    private @Nullable Process parent;

    @BeforeEach
    void buildTheServices() throws IOException {
        for (String service : List.of("aggregator-api", "aggregator-worker", "publisher")) {
            Path target = Files.createDirectories(root.resolve(service).resolve("target"));
            packStandIn(target.resolve(service + ".jar"));
        }
        Path binaries = Files.createDirectories(Path.of("target/binaries").toAbsolutePath());
        Files.createSymbolicLink(
                Files.createDirectories(root.resolve("local-stack/target")).resolve("binaries"), binaries);
        for (String name : List.of("api-port", "worker-port", "postgres-port", "redis-port")) {
            ports.put(name, Ports.free());
        }
        output = root.resolve("output");
    }

    @AfterEach
    void endIt() throws IOException {
        if (parent != null) {
            Processes.kill(Processes.tree(parent.toHandle()));
        }
        DataFolder.of(root.resolve("local-stack/data")).close();
        Files.delete(root.resolve("local-stack/target/binaries"));
    }

    @Test
    void runsUntilItIsTerminatedAndLeavesNothingBehind() throws IOException {
        Process shell = run("--publisher.count=20");
        awaitOutput("Everything runs on");
        List<ProcessHandle> processes = Processes.tree(shell.toHandle());
        assertThat(processes).hasSizeGreaterThan(5);
        assertThat(Files.readString(output))
                .contains("The publisher was told --publisher.target=http://127.0.0.1:" + ports.get("api-port")
                        + " --publisher.count=20")
                .contains("127.0.0.1:" + ports.get("postgres-port"));

        try (Stream<ProcessHandle> children = shell.children()) {
            assertThat(children.findFirst().orElseThrow().destroy()).isTrue();
        }

        assertThat(Processes.awaitEnd(processes, END)).isTrue();
        assertThat(ports.values()).allMatch(Ports::isFree);
        assertThat(Files.readString(root.resolve("local-stack/data/logs/postgresql.log")))
                .contains("database system is shut down");
    }

    @Test
    void endsWithTheProcessThatStartedIt() {
        Process shell = run();
        awaitOutput("Everything runs on");
        List<ProcessHandle> processes = Processes.tree(shell.toHandle());

        shell.destroyForcibly();

        assertThat(Processes.awaitEnd(processes, END)).isTrue();
        assertThat(ports.values()).allMatch(Ports::isFree);
    }

    @Test
    void startsAgainWhatDies() {
        run();
        awaitOutput("Everything runs on");

        for (String name : List.of("redis", "postgresql", "aggregator-api", "aggregator-worker")) {
            ProcessHandle process = recorded(name);
            process.destroyForcibly();
            awaitOutput(name + " (pid " + process.pid() + ") ended with status 137; started again");
            await(name).atMost(START).until(() -> !Ports.isFree(port(name)));
            assertThat(recorded(name)).isNotEqualTo(process);
        }
    }

    /** Also beside a stack that runs, which holds the folder. */
    @Test
    void givesTheCommandKeysToTheApiAndNothingElse() throws IOException {
        try (DataFolder running = DataFolder.of(root.resolve("local-stack/data"))) {
            Process shell = run("keys", "create", "--name=shop");

            assertThat(Processes.awaitEnd(List.of(shell.toHandle()), START)).isTrue();
            assertThat(shell.exitValue()).isEqualTo(StandInService.EXIT_STATUS_OF_KEYS);
            assertThat(Files.readString(output))
                    .isEqualTo("The command was told keys create --name=shop at "
                            + EmbeddedPostgresStore.jdbcUrl("127.0.0.1", port("postgresql")) + System.lineSeparator());
            assertThat(running.log("redis")).doesNotExist();
        }
    }

    @Test
    void namesAPortThatIsTaken() throws IOException {
        int port = port("redis");
        try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            Process shell = run();

            assertThat(Processes.awaitEnd(List.of(shell.toHandle()), START)).isTrue();
            assertThat(shell.exitValue()).isEqualTo(1);
            assertThat(Files.readString(output).lines())
                    .singleElement()
                    .asString()
                    .startsWith("Port " + taken.getLocalPort() + " is taken")
                    .contains("--local.redis-port=");
        }
    }

    @Test
    void stopsEverythingAndShowsTheLogWhenAServiceDoesNotStart() throws IOException {
        Files.writeString(root.resolve("aggregator-worker/target/aggregator-worker.jar"), "no jar");

        Process shell = run();

        assertThat(Processes.awaitEnd(List.of(shell.toHandle()), START)).isTrue();
        assertThat(shell.exitValue()).isEqualTo(1);
        assertThat(Files.readString(output))
                .contains("aggregator-worker.jar can't be made ready to start")
                .contains("Invalid or corrupt jarfile");
        assertThat(ports.values()).allMatch(Ports::isFree);
    }

    /** Through a shell that waits for it, as Maven does. */
    private Process run(String... arguments) {
        List<String> command = new ArrayList<>(List.of("sh", "-c", "\"$@\" & wait $!", "sh"));
        command.addAll(List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-cp",
                System.getProperty("java.class.path"),
                LocalStackMain.class.getName()));
        ports.forEach((name, port) -> command.add("--local." + name + "=" + port));
        command.addAll(List.of(arguments));
        try {
            parent = new ProcessBuilder(command)
                    .directory(root.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            return parent;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void awaitOutput(String text) {
        await().atMost(START).untilAsserted(() -> assertThat(output).content().contains(text));
    }

    private int port(String process) {
        String name = process.replace("aggregator-", "").replace("postgresql", "postgres") + "-port";
        return requireNonNull(ports.get(name), name);
    }

    private ProcessHandle recorded(String process) {
        try {
            String pidAndStart = Files.readString(root.resolve("local-stack/data/pids/" + process));
            return ProcessHandle.of(Long.parseLong(pidAndStart.substring(0, pidAndStart.indexOf(' '))))
                    .orElseThrow();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void packStandIn(Path jar) throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, StandInService.class.getName());
        String file = StandInService.class.getName().replace('.', '/') + ".class";
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar), manifest);
                InputStream in = StandInService.class.getClassLoader().getResourceAsStream(file)) {
            assertThat(in).isNotNull();
            out.putNextEntry(new JarEntry(file));
            in.transferTo(out);
        }
    }
}
