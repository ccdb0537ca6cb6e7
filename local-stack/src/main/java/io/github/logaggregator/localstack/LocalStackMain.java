package io.github.logaggregator.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Runs the whole system until Ctrl-C, SIGTERM or the end of the process that started it: says where everything listens,
 * sends some events, and starts again what dies. With the arguments of the API's command {@code keys}, it does that and nothing
 * else, on the stack that runs.
 */
final class LocalStackMain {
    private final LocalOptions options;
    private final Path root;
    private volatile boolean stopping;

    private LocalStackMain(LocalOptions options, Path root) {
        this.options = options;
        this.root = root;
    }

    /** Started in the project's folder. */
    public static void main(String[] arguments) {
        Path root = Path.of("").toAbsolutePath();
        try {
            if (List.of(arguments).contains("keys")) {
                System.exit(runKeys(root, List.of(arguments)));
            }
            new LocalStackMain(LocalOptions.parse(arguments), root).run();
        } catch (StackException e) {
            say(String.valueOf(e.getMessage()));
            System.exit(1);
        }
    }

    private static int runKeys(Path root, List<String> arguments) {
        Map<Boolean, List<String>> areLocal =
                arguments.stream().collect(Collectors.partitioningBy(argument -> argument.startsWith("--local.")));
        LocalOptions options =
                LocalOptions.parse(areLocal.getOrDefault(true, List.of()).toArray(String[]::new));
        String database = EmbeddedPostgresStore.jdbcUrl("127.0.0.1", options.port("postgres-port"));
        try {
            return LocalStack.keysCommand(root, database, areLocal.getOrDefault(false, List.of()))
                    .inheritIO()
                    .start()
                    .onExit()
                    .join()
                    .exitValue();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void run() {
        DataFolder folder = DataFolder.of(root.resolve("local-stack/data"));
        refuseTakenPorts();
        EmbeddedPostgresStore postgres = LocalStack.postgres(root, folder, options.port("postgres-port"));
        EmbeddedRedisStore redis =
                LocalStack.redis(root, folder, options.port("redis-port"), options.get("redis-maxmemory"));
        LocalStack stack = new LocalStack(root, folder, postgres, redis);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(stack), "stop"));
        endWithParent();
        try {
            runUntilStopped(stack, List.of(postgres, redis));
        } catch (StackException e) {
            if (!stopping) { // else it is what the stopping does to what was just about to start
                throw e;
            }
        }
    }

    /** A SIGTERM or SIGKILL of Maven is not passed on to what Maven has started. */
    private static void endWithParent() {
        ProcessHandle.current()
                .parent()
                .ifPresent(parent -> Thread.ofVirtual().name("end with parent").start(() -> {
                    parent.onExit().join();
                    System.exit(0);
                }));
    }

    private void stop(LocalStack stack) {
        stopping = true;
        say("Stopping the services, then the stores.");
        stack.close();
        say("Stopped. The data are kept in local-stack/data.");
    }

    private void refuseTakenPorts() {
        Map<Integer, String> wanted = new LinkedHashMap<>();
        for (String name : List.of("api-port", "worker-port", "postgres-port", "redis-port")) {
            int port = options.port(name);
            if (wanted.putIfAbsent(port, name) != null || !Ports.isFree(port)) {
                throw new StackException("Port " + port + " is taken: stop what listens there, or choose another port"
                        + " by mvn -Plocal -Dlocal.args=--local." + name + "=…");
            }
        }
    }

    private void runUntilStopped(LocalStack stack, List<LocalProcess> stores) {
        Supervisor supervisor = new Supervisor(System.out);
        say("Starting PostgreSQL and Redis.");
        stack.startStores();
        stores.forEach(supervisor::watch);
        say("Starting the services.");
        ServiceProcess api = stack.startApi(LaunchOptions.defaults().onPort(options.port("api-port")));
        ServiceProcess worker = stack.startWorker(LaunchOptions.defaults().onPort(options.port("worker-port")));
        List<ServiceProcess> services = List.of(api, worker);
        services.forEach(LocalProcess::awaitReady);
        services.forEach(supervisor::watch);

        say("");
        row("NAME", "PID", "LISTENS ON", "LOG", "DATA");
        stores.forEach(this::describe);
        services.forEach(this::describe);
        say("""

                Documentation  %1$s/docs
                Database       %2$s  user %3$s, password %4$s
                Send an event  curl -H 'Content-Type: application/json' %1$s/publish -d '%5$s'
                See it         curl '%1$s/events?topic=orders&limit=5'
                The books      curl %1$s/stats
                """.formatted(
                        api.uri(),
                        EmbeddedPostgresStore.jdbcUrl("127.0.0.1", options.port("postgres-port")),
                        EmbeddedPostgresStore.USER,
                        EmbeddedPostgresStore.PASSWORD,
                        "{\"topic\": \"orders\", \"event_id\": \"unique-uuid-123\","
                                + " \"timestamp\": \"2025-12-08T10:00:00Z\", \"source\": \"app-service\","
                                + " \"payload\": {\"amount\": 500}}"));

        int status = stack.startPublisher(Redirect.INHERIT, options.publisher())
                .onExit()
                .join()
                .exitValue();
        if (!stopping) {
            say(
                    status == 0
                            ? "\nEverything runs on until Ctrl-C."
                            : "\nThe publisher failed with status " + status
                                    + "; everything else runs on until Ctrl-C.");
        }
        waitForTheEnd();
    }

    private void describe(LocalProcess process) {
        Path data = process.dataPath();
        row(
                process.name(),
                Long.toString(process.pid()),
                "127.0.0.1:" + process.port(),
                root.relativize(process.logPath()).toString(),
                data == null ? "" : root.relativize(data).toString());
    }

    private static void row(String name, String pid, String address, String log, String data) {
        say("%-18s %7s  %-16s  %-43s  %s"
                .formatted(name, pid, address, log, data)
                .stripTrailing());
    }

    private static void waitForTheEnd() {
        try {
            Thread.currentThread().join();
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private static void say(String line) {
        System.out.println(line);
    }
}
