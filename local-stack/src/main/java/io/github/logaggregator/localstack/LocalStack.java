package io.github.logaggregator.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/**
 * The whole system as processes of this machine. When it is closed the publisher ends first, then the services, and the
 * stores after them, within ten seconds, and nothing of it is left.
 */
public final class LocalStack implements AutoCloseable {
    private static final String API = "aggregator-api";
    private static final String WORKER = "aggregator-worker";
    private static final String PUBLISHER = "publisher";

    private final Path root;
    private final DataFolder folder;
    private final Store postgres;
    private final Store redis;

    // Guarded by this: nothing may start once the closing has begun.
    private final List<ServiceProcess> services = new ArrayList<>();
    private final List<ProcessHandle> publishers = new ArrayList<>();
    private boolean closed;

    /**
     * A stack on the given stores, nothing of which runs yet.
     *
     * @param root the project's folder, in which the services' jars have been built
     * @param folder closed together with the stack
     */
    public LocalStack(Path root, DataFolder folder, Store postgres, Store redis) {
        this.root = root;
        this.folder = folder;
        this.postgres = postgres;
        this.redis = redis;
    }

    /** A stack on embedded stores, which listen on free ports. */
    public static LocalStack embedded(Path root, DataFolder folder) {
        return new LocalStack(
                root,
                folder,
                postgres(root, folder, Ports.free()),
                redis(root, folder, Ports.free(), EmbeddedRedisStore.MAX_MEMORY));
    }

    /** An embedded PostgreSQL server that has its data in the given folder. */
    public static EmbeddedPostgresStore postgres(Path root, DataFolder folder, int port) {
        return new EmbeddedPostgresStore(port, folder, binaries(root));
    }

    /** An embedded Redis server that has its data in the given folder. */
    public static EmbeddedRedisStore redis(Path root, DataFolder folder, int port, String maxMemory) {
        return new EmbeddedRedisStore(port, maxMemory, folder, binaries(root)::redis);
    }

    /** A Redis server of this machine's own {@code redis-server}, that has its data in the given folder. */
    public static EmbeddedRedisStore installedRedis(Path redisServer, DataFolder folder, int port, String maxMemory) {
        return new EmbeddedRedisStore(port, maxMemory, folder, () -> redisServer);
    }

    private static Binaries binaries(Path root) {
        return new Binaries(root.resolve("local-stack/target/binaries"));
    }

    /**
     * Takes half a minute, once for what has been built, to let every start of a service take half its time. Of several
     * processes that want it at once, one does it.
     *
     * @param root the project's folder, in which the services' jars have been built
     */
    public static void cacheClasses(Path root) {
        Path lock = root.resolve("local-stack/target/cache-classes.lock");
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            FileLock unused = channel.lock(); // until the channel is closed
            Stream.of(API, WORKER, PUBLISHER)
                    .parallel()
                    .forEach(service -> new ServiceJar(root, service).cacheClasses());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Store postgres() {
        return postgres;
    }

    public Store redis() {
        return redis;
    }

    /** All services that were ever started, in that order. */
    public synchronized List<ServiceProcess> services() {
        return List.copyOf(services);
    }

    /** Starts both stores and waits until they answer. */
    public void startStores() {
        start(redis);
        start(postgres);
        redis.awaitReady();
        postgres.awaitReady();
    }

    private synchronized void start(Store store) {
        refuseIfClosed();
        store.start();
    }

    /** Starts an API, or one more; returns before it is ready. */
    public ServiceProcess startApi(LaunchOptions options) {
        return start(API, options);
    }

    /** Starts a worker, or one more; returns before it is ready. */
    public ServiceProcess startWorker(LaunchOptions options) {
        return start(WORKER, options);
    }

    private synchronized ServiceProcess start(String service, LaunchOptions options) {
        refuseIfClosed();
        long before = services.stream()
                .filter(other -> other.name().startsWith(service))
                .count();
        ServiceProcess process = new ServiceProcess(
                before == 0 ? service : service + "-" + (before + 1),
                new ServiceJar(root, service),
                (options.port() == 0 ? options.onPort(Ports.free()) : options).withEnvironment(whereTheStoresAre()),
                folder);
        services.add(process);
        process.start();
        return process;
    }

    private Map<String, String> whereTheStoresAre() {
        Map<String, String> environment =
                new HashMap<>(whereTheDatabaseIs(EmbeddedPostgresStore.jdbcUrl(postgres.host(), postgres.port())));
        environment.put("SPRING_DATA_REDIS_HOST", redis.host());
        environment.put("SPRING_DATA_REDIS_PORT", Integer.toString(redis.port()));
        return environment;
    }

    /**
     * Starts a publisher that sends to the first API, unless its arguments name another target.
     *
     * @param output where it writes, both output and errors
     */
    public synchronized Process startPublisher(Redirect output, List<String> arguments) {
        refuseIfClosed();
        List<String> command = new ServiceJar(root, PUBLISHER).java(List.of());
        if (arguments.stream().noneMatch(argument -> argument.startsWith("--publisher.target="))) {
            command.add("--publisher.target=" + services.getFirst().uri());
        }
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectInput(Redirect.INHERIT);
        try {
            Process publisher = (output.equals(Redirect.INHERIT)
                            ? builder.inheritIO()
                            : builder.redirectErrorStream(true).redirectOutput(output))
                    .start();
            publishers.add(publisher.toHandle());
            return publisher;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * The API's command {@code keys}, on the database of a stack that runs, be it in this process or not.
     *
     * @param arguments such as {@code keys list}
     */
    public static ProcessBuilder keysCommand(Path root, String jdbcUrl, List<String> arguments) {
        List<String> command = new ServiceJar(root, API).java(List.of());
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(whereTheDatabaseIs(jdbcUrl));
        return builder;
    }

    private static Map<String, String> whereTheDatabaseIs(String jdbcUrl) {
        return Map.of(
                "SPRING_DATASOURCE_URL", jdbcUrl,
                "SPRING_DATASOURCE_USERNAME", EmbeddedPostgresStore.USER,
                "SPRING_DATASOURCE_PASSWORD", EmbeddedPostgresStore.PASSWORD);
    }

    private void refuseIfClosed() {
        if (closed) {
            throw new StackException("The stack is stopping.");
        }
    }

    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        Processes.terminate(publishers, Duration.ZERO);
        inParallel(services.stream().<Runnable>map(service -> service::close).toList());
        inParallel(List.of(postgres::close, redis::close));
        folder.close();
    }

    private static void inParallel(List<Runnable> tasks) {
        try (ExecutorService executor =
                Executors.newThreadPerTaskExecutor(Thread.ofPlatform().daemon().factory())) {
            tasks.forEach(executor::execute);
        }
    }
}
