package io.github.logaggregator.localstack;

import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.IOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A PostgreSQL server of the version that production runs, as durable as there: what it has committed is on disk. It
 * listens on the loopback interface, with a database, user and password {@code aggregator}.
 */
public final class EmbeddedPostgresStore extends LocalProcess implements Store {
    public static final String DATABASE = "aggregator";
    public static final String USER = "aggregator";
    public static final String PASSWORD = "aggregator";

    private final Binaries binaries;
    private final Path data;

    EmbeddedPostgresStore(int port, DataFolder folder, Binaries binaries) {
        super("postgresql", port, folder);
        this.binaries = binaries;
        this.data = folder.of("postgres");
    }

    @Override
    public String host() {
        return "127.0.0.1";
    }

    @Override
    List<String> command() throws IOException {
        List<String> command =
                unprivileged(binaries.postgres().resolve("postgres").toString());
        command.addAll(List.of("-D", data.toString(), "-p", Integer.toString(port())));
        // The first two are the defaults, but what they promise is what is tested here. The next two, as in
        // docker-compose.yml, keep the indexes in memory for longer, and the log of changes smaller: a page is written
        // whole at its first change after each checkpoint.
        for (String setting : List.of(
                "fsync=on",
                "synchronous_commit=on",
                "shared_buffers=512MB",
                "max_wal_size=4GB",
                "listen_addresses=127.0.0.1",
                "unix_socket_directories=",
                "timezone=UTC")) {
            command.addAll(List.of("-c", setting));
        }
        return command;
    }

    @Override
    Map<String, String> environment() {
        return Map.of("LC_ALL", "C");
    }

    /** Its "fast" shutdown: it cuts its connections, where SIGTERM would wait for their clients. */
    @Override
    String stopSignal() {
        return "INT";
    }

    @Override
    Duration patience() {
        return Duration.ofSeconds(3);
    }

    @Override
    Path dataPath() {
        return data;
    }

    @Override
    void prepare() throws IOException {
        if (Files.exists(data)) {
            refuseOrForgetStalePid();
        } else {
            initialize();
        }
    }

    /**
     * Copies data that were initialized once, which takes less than a tenth of the time. The data folder appears when it is
     * complete, so that one cut short is begun anew.
     */
    private void initialize() throws IOException {
        Path unfinished = folder().of("postgres-unfinished");
        if (Files.exists(unfinished)) {
            DataFolder.delete(unfinished);
        }
        copy(initialized().resolve("data"), unfinished);
        Files.move(unfinished, data, StandardCopyOption.ATOMIC_MOVE);
    }

    private Path initialized() throws IOException {
        Path initialized = binaries.postgres().resolveSibling("initialized");
        if (!Files.exists(initialized)) {
            Path unfinished = Files.createTempDirectory(initialized.resolveSibling(""), "initializing-");
            initialize(unfinished.resolve("data"));
            Binaries.publish(unfinished, initialized);
        }
        return initialized;
    }

    private void initialize(Path cluster) throws IOException {
        Path password = Files.writeString(folder().of("initdb-password"), PASSWORD);
        List<String> initdb = unprivileged(binaries.postgres().resolve("initdb").toString());
        initdb.addAll(List.of("-D", cluster.toString(), "-U", USER, "-A", "scram-sha-256"));
        initdb.addAll(List.of("--pwfile=" + password, "--encoding=UTF8", "--no-locale", "--no-sync"));
        run(initdb, "");
        List<String> singleUser =
                unprivileged(binaries.postgres().resolve("postgres").toString());
        singleUser.addAll(List.of("--single", "-D", cluster.toString(), "postgres"));
        run(singleUser, "CREATE DATABASE " + DATABASE + "\n");
        Files.delete(password);
    }

    /** With its permissions, without which PostgreSQL does not start. */
    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    private void run(List<String> command, String input) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(logPath().toFile()));
        builder.environment().putAll(environment());
        Process process = builder.start();
        try (Writer stdin = process.outputWriter()) {
            stdin.write(input);
        }
        if (process.onExit().join().exitValue() != 0) {
            throw new StackException(
                    "PostgreSQL's data could not be initialized. The end of " + logPath() + ":\n" + logTail());
        }
    }

    /** PostgreSQL refuses to run as root; a user namespace of its own takes that away from it. */
    private static List<String> unprivileged(String program) {
        List<String> command = new ArrayList<>();
        if (LinuxUtils.isUnshareAvailable()) {
            command.addAll(List.of("unshare", "-U"));
        } else if (System.getProperty("user.name").equals("root")) {
            throw new StackException("PostgreSQL does not run as root, and this machine forbids user namespaces"
                    + " (unshare -U), which would help: run this as another user.");
        }
        command.add(program);
        return command;
    }

    /**
     * After a crash the data still name the server that ran on them. A server whose id another process has got since
     * would never start again, so that name is forgotten here, but only if the process is no PostgreSQL.
     */
    private void refuseOrForgetStalePid() throws IOException {
        Path pidFile = data.resolve("postmaster.pid");
        if (!Files.exists(pidFile)) {
            return;
        }
        long pid = Long.parseLong(Files.readAllLines(pidFile).getFirst().strip());
        ProcessHandle process = ProcessHandle.of(pid).orElse(null);
        if (process == null) {
            return; // PostgreSQL sees that itself
        }
        if (process.info().command().orElse("").endsWith("postgres")) {
            throw new StackException("PostgreSQL still runs on " + data + ": stop it with kill -INT " + pid);
        }
        Files.delete(pidFile);
    }

    @Override
    boolean isReady() {
        return answers(host(), port());
    }

    /** Whether the PostgreSQL server there takes connections to the database; returns within seconds. */
    public static boolean answers(String host, int port) {
        String url = jdbcUrl(host, port) + "?loginTimeout=2&connectTimeout=2&socketTimeout=2";
        try (Connection connection = DriverManager.getConnection(url, USER, PASSWORD)) {
            return connection.isValid(2);
        } catch (SQLException e) {
            return false;
        }
    }

    public static String jdbcUrl(String host, int port) {
        return "jdbc:postgresql://" + host + ":" + port + "/" + DATABASE;
    }
}
