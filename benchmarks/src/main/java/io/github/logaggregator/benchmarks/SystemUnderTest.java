package io.github.logaggregator.benchmarks;

import io.github.logaggregator.localstack.DataFolder;
import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.EmbeddedRedisStore;
import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.LocalStack;
import io.github.logaggregator.localstack.Ports;
import io.github.logaggregator.localstack.ServiceProcess;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import redis.clients.jedis.RedisClient;
import tools.jackson.databind.JsonNode;

/** The system as its users run it, on stores of its own that keep what they promise (fsync), and a database beside it. */
final class SystemUnderTest implements AutoCloseable {
    /** A database with the same schema, to measure what PostgreSQL does alone. */
    static final String LIMIT = "limits";

    private static final String KEYS = "keys";

    private static final String REDIS_MEMORY = "4gb";

    private final BenchmarkOptions options;
    private final Http http;
    private final EmbeddedPostgresStore postgres;
    private final EmbeddedRedisStore redis;
    private final LocalStack stack;

    SystemUnderTest(Path root, BenchmarkOptions options, Http http) {
        this.options = options;
        this.http = http;
        LocalStack.cacheClasses(root);
        DataFolder folder = DataFolder.temporary(root.resolve("benchmarks/target"));
        postgres = LocalStack.postgres(root, folder, Ports.free());
        redis = installedRedis()
                .map(program -> LocalStack.installedRedis(program, folder, Ports.free(), REDIS_MEMORY))
                .orElseGet(() -> LocalStack.redis(root, folder, Ports.free(), REDIS_MEMORY));
        stack = new LocalStack(root, folder, postgres, redis);
        try {
            stack.startStores();
            createDatabase(root, LIMIT);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** The machine's own redis-server, if it is one that knows what the scripts need: the embedded one is slow. */
    private static Optional<Path> installedRedis() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, "redis-server"))
                .filter(Files::isExecutable)
                .filter(SystemUnderTest::hasScriptFlags)
                .findFirst();
    }

    /** Redis 7 brought them; {@code redis-server --version} begins with "Redis server v=7.0.15". */
    private static boolean hasScriptFlags(Path redisServer) {
        try (BufferedReader version = new ProcessBuilder(redisServer.toString(), "--version")
                .redirectErrorStream(true)
                .start()
                .inputReader()) {
            Matcher major = Pattern.compile("v=(\\d+)").matcher(version.lines().collect(Collectors.joining()));
            return major.find() && Integer.parseInt(major.group(1)) >= 7;
        } catch (IOException e) {
            return false;
        }
    }

    private void createDatabase(Path root, String name) {
        execute(EmbeddedPostgresStore.DATABASE, "CREATE DATABASE " + name);
        try (Stream<Path> migrations = Files.list(root.resolve("db/migration"))) {
            for (Path migration : migrations.sorted().toList()) {
                execute(name, Files.readString(migration));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The ids of the stores' processes, by name. */
    Map<String, Long> storePids() {
        return Map.of("Redis", redis.pid(), "PostgreSQL", postgres.pid());
    }

    ServiceProcess startApi(String... jvmOptions) {
        return startApi(LaunchOptions.defaults().withJvmOptions(jvmOptions));
    }

    /** An API that reads from another database. */
    ServiceProcess startApiOn(String database) {
        return startApi(LaunchOptions.defaults()
                // Flyway has not made that database, so the API waits to look for keys there.
                .withArguments("--spring.datasource.url=" + jdbcUrl(database), "--api.open-without-keys=true"));
    }

    /** An API that asks for a key, which a database of its own has; it fills the same queue. */
    ServiceProcess startApiWithKey(String key) {
        execute(EmbeddedPostgresStore.DATABASE, "CREATE DATABASE " + KEYS);
        ServiceProcess api =
                startApi(LaunchOptions.defaults().withArguments("--spring.datasource.url=" + jdbcUrl(KEYS)));
        execute(KEYS, """
                INSERT INTO api_keys (name, hash, scopes, topics)
                VALUES ('benchmark', sha256('%s'), '{publish}', '{benchmark,other.*}')""".formatted(key));
        return api;
    }

    private ServiceProcess startApi(LaunchOptions launch) {
        ServiceProcess api = stack.startApi(launch
                // What is measured is how fast it is, not when it is full.
                .withArguments("--api.queue.max-events=" + Integer.MAX_VALUE, "--api.queue.max-size=3GB"));
        api.awaitReady();
        return api;
    }

    ServiceProcess startWorker(String... jvmOptions) {
        ServiceProcess worker = stack.startWorker(LaunchOptions.defaults()
                .withJvmOptions(jvmOptions)
                .withArguments(
                        "--worker.loops=" + options.loops(), "--worker.claim-max-events=" + options.claimSize()));
        worker.awaitReady();
        return worker;
    }

    /**
     * How far the events are.
     *
     * @param received events taken
     * @param settled events stored, found to be duplicates, or dead
     */
    record Progress(long received, long settled) {}

    Progress progress(URI api) {
        JsonNode books = http.get(api.resolve("/stats")).get("books");
        if (books.get("unaccounted").longValue() != 0) {
            throw new IllegalStateException("The books do not balance: " + books);
        }
        long settled = Stream.of("stored", "duplicates", "dead_lettered")
                .mapToLong(name -> books.get(name).longValue())
                .sum();
        return new Progress(books.get("received").longValue(), settled);
    }

    DataSource database(String name) {
        PGSimpleDataSource database = new PGSimpleDataSource();
        database.setUrl(jdbcUrl(name));
        database.setUser(EmbeddedPostgresStore.USER);
        database.setPassword(EmbeddedPostgresStore.PASSWORD);
        return database;
    }

    void execute(String database, String sql) {
        try (Connection connection = database(database).getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** The one value that a query gives. */
    String query(String database, String sql) {
        try (Connection connection = database(database).getConnection();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    void forgetQueue(String key) {
        try (RedisClient client = connect()) {
            client.del(key);
        }
    }

    private RedisClient connect() {
        return RedisClient.create(stack.redis().host(), stack.redis().port());
    }

    String redisVersion() {
        try (RedisClient client = connect()) {
            return client.info("server")
                    .lines()
                    .filter(line -> line.startsWith("redis_version:"))
                    .findFirst()
                    .orElseThrow()
                    .substring("redis_version:".length());
        }
    }

    /** Settings that lead another program to the stores. */
    List<String> storeSettings() {
        return List.of(
                "--spring.datasource.url=" + jdbcUrl(LIMIT),
                "--spring.datasource.username=" + EmbeddedPostgresStore.USER,
                "--spring.datasource.password=" + EmbeddedPostgresStore.PASSWORD,
                "--spring.data.redis.host=" + stack.redis().host(),
                "--spring.data.redis.port=" + stack.redis().port());
    }

    private String jdbcUrl(String database) {
        return EmbeddedPostgresStore.jdbcUrl(
                        stack.postgres().host(), stack.postgres().port())
                .replaceFirst("/" + EmbeddedPostgresStore.DATABASE + "$", "/" + database);
    }

    @Override
    public void close() {
        stack.close();
    }
}
