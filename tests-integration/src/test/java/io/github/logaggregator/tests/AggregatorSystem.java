package io.github.logaggregator.tests;

import io.github.logaggregator.localstack.DataFolder;
import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.LocalStack;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import tools.jackson.databind.JsonNode;

/**
 * A running system of its own ports and data, of which nothing is left when it is closed. Its stores come from
 * {@link Backing}; its services are the executable jars, as processes that can be killed, paused and started again.
 */
final class AggregatorSystem implements AutoCloseable {
    /** The project's folder. */
    static final Path ROOT =
            Path.of(System.getProperty("project.root", "..")).toAbsolutePath().normalize();

    static {
        LocalStack.cacheClasses(ROOT);
    }

    private static final Path TARGET = ROOT.resolve("tests-integration/target");
    private static final Duration SETTLED_WITHIN = Duration.ofSeconds(60);
    private static final Duration PUBLISHER_ENDS_WITHIN = Duration.ofMinutes(5);

    private final LocalStack stack;
    private final Thread closeAtTheEnd = new Thread(this::close, "close");

    // Guarded by this.
    private @Nullable RedisClient redisClient;
    private @Nullable RedisCommands<String, String> redis;

    private AggregatorSystem(LocalStack stack) {
        this.stack = stack;
        Runtime.getRuntime().addShutdownHook(closeAtTheEnd);
    }

    /** A system of two stores that answer, and no service yet. */
    static AggregatorSystem withStores() {
        AggregatorSystem system = new AggregatorSystem(
                switch (Backing.chosen()) {
                    case EMBEDDED -> LocalStack.embedded(ROOT, DataFolder.temporary(TARGET));
                    case DOCKER -> onContainers(ContainerStore.postgres(), ContainerStore.redis());
                });
        try {
            system.stack.startStores();
            return system;
        } catch (RuntimeException e) {
            system.close();
            throw e;
        }
    }

    private static LocalStack onContainers(ContainerStore postgres, ContainerStore redis) {
        return new LocalStack(ROOT, DataFolder.temporary(TARGET), postgres, redis);
    }

    /** Starts an API, or one more, that need not become ready, or can't be asked in plain HTTP. */
    ServiceProcess launchApi(LaunchOptions options) {
        return stack.startApi(options);
    }

    /** Starts a worker, or one more, that need not become ready. */
    ServiceProcess launchWorker(LaunchOptions options) {
        return stack.startWorker(options);
    }

    ServiceProcess startApi() {
        return startApi(LaunchOptions.defaults());
    }

    /** Starts an API, or one more, and waits until it is ready. */
    ServiceProcess startApi(LaunchOptions options) {
        ServiceProcess api = stack.startApi(options);
        api.awaitReady();
        return api;
    }

    ServiceProcess startWorker() {
        return startWorker(LaunchOptions.defaults());
    }

    /** Starts a worker, or one more, and waits until it is ready. */
    ServiceProcess startWorker(LaunchOptions options) {
        ServiceProcess worker = stack.startWorker(options);
        worker.awaitReady();
        return worker;
    }

    /** Starts so many of each at once, and waits until all are ready. */
    void start(int apis, int workers) {
        start(apis, workers, LaunchOptions.defaults());
    }

    /** Starts so many of each at once, the workers with the given options, and waits until all are ready. */
    void start(int apis, int workers, LaunchOptions ofWorkers) {
        for (int i = 0; i < apis; i++) {
            stack.startApi(LaunchOptions.defaults());
        }
        for (int i = 0; i < workers; i++) {
            stack.startWorker(ofWorkers);
        }
        stack.services().forEach(ServiceProcess::awaitReady);
    }

    /** The APIs, in the order in which they were started. */
    List<ServiceProcess> apis() {
        return services("aggregator-api");
    }

    /** The workers, in the order in which they were started. */
    List<ServiceProcess> workers() {
        return services("aggregator-worker");
    }

    private List<ServiceProcess> services(String name) {
        return stack.services().stream()
                .filter(service -> service.name().startsWith(name))
                .toList();
    }

    /** Where the first API listens, such as {@code http://127.0.0.1:23456}. */
    URI api() {
        return apis().getFirst().uri();
    }

    /** A request to the first API: {@code system.http().get("/stats").then().statusCode(200)}. */
    RequestSpecification http() {
        return RestAssured.given().baseUri(api().toString());
    }

    /** Publishes a JSON text as it is. */
    Response publish(String json) {
        return http().header("Content-Type", "application/json")
                .body(json.getBytes(StandardCharsets.UTF_8))
                .post("/publish");
    }

    /** The statistics of the first API. */
    Stats stats() {
        Response response = http().get("/stats");
        response.then().statusCode(200);
        return TestEvents.JSON.readValue(response.asByteArray(), Stats.class);
    }

    /** Waits until nothing is queued or in flight, however long a store takes to come back; gives the books. */
    Stats.Books awaitSettled() {
        return Awaitility.await()
                .atMost(SETTLED_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions()
                .until(() -> stats().books(), books -> books.queued() + books.inFlight() == 0);
    }

    /** Waits until what is settled is acknowledged, too, which a worker does a moment later. */
    void awaitAcknowledged() {
        Awaitility.await().atMost(SETTLED_WITHIN).until(() -> redis().zcard(QueueKeys.FIRST.claims()) == 0);
    }

    /** Waits until reading the oldest first, which stops before what may still be committed, gives all that is stored. */
    void awaitHorizon() {
        Awaitility.await()
                .atMost(SETTLED_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> jdbc().sql("SELECT coalesce(max(arrival_xid) < arrival_horizon(), true) FROM events")
                        .query(Boolean.class)
                        .single());
    }

    /** What has been added to the books, and where what is not settled lies now. */
    static Stats.Books change(Stats.Books before, Stats.Books after) {
        return new Stats.Books(
                after.received() - before.received(),
                after.stored() - before.stored(),
                after.expired() - before.expired(),
                after.duplicates() - before.duplicates(),
                after.conflicting() - before.conflicting(),
                after.deadLettered() - before.deadLettered(),
                after.queued(),
                after.inFlight(),
                after.unaccounted());
    }

    /**
     * A page of events.
     *
     * @param next the query of the next page; null on the last
     */
    record EventsPage(List<Event> events, @Nullable String next) {}

    /** The events of a query such as {@code ?topic=orders&limit=5}. */
    EventsPage events(String query) {
        return page(http().urlEncodingEnabled(false).get("/events" + query));
    }

    private static EventsPage page(Response response) {
        response.then().statusCode(200).contentType("application/json");
        List<Event> events = new ArrayList<>();
        for (JsonNode event : TestEvents.JSON.readTree(response.asByteArray())) {
            events.add(new Event(
                    event.get("topic").stringValue(),
                    event.get("event_id").stringValue(),
                    Instant.parse(event.get("timestamp").stringValue()),
                    event.get("source").stringValue(),
                    TestEvents.JSON.writeValueAsString(event.get("payload"))));
        }
        String link = response.header("Link");
        return new EventsPage(events, link == null ? null : link.replaceFirst("<[^?]*([^>]*)>; rel=\"next\"", "$1"));
    }

    /** All events of a query, page by page, the newest first. */
    List<Event> allEvents(String query) {
        List<Event> all = new ArrayList<>();
        EventsPage page =
                events(query.contains("limit=") ? query : query + (query.isEmpty() ? "?" : "&") + "limit=1000");
        all.addAll(page.events());
        while (page.next() != null) {
            page = events(page.next());
            all.addAll(page.events());
        }
        return all;
    }

    /** The newest events of a topic, whatever characters it has. */
    List<Event> eventsOf(String topic) {
        return page(http().queryParam("topic", topic).get("/events")).events();
    }

    /** A service's metrics in Prometheus' text format. */
    String metrics(ServiceProcess service) {
        return http().baseUri(service.uri().toString())
                .get("/actuator/prometheus")
                .asString();
    }

    /** How many events a worker has settled, by its own count. */
    double settledBy(ServiceProcess worker) {
        return metrics(worker)
                .lines()
                .filter(line -> line.startsWith("aggregator_events_settled_total"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    /** The database, by a new connection for each statement, so that it may have been away in between. */
    JdbcClient jdbc() {
        return JdbcClient.create(dataSource());
    }

    private DataSource dataSource() {
        return new DriverManagerDataSource(
                EmbeddedPostgresStore.jdbcUrl(postgres().host(), postgres().port()),
                EmbeddedPostgresStore.USER,
                EmbeddedPostgresStore.PASSWORD);
    }

    /** Lets whatever stores events wait in the middle of its transaction, until this one is rolled back. */
    Connection lockEvents() throws SQLException {
        Connection connection = connect();
        connection.setAutoCommit(false);
        connection.createStatement().execute("LOCK TABLE events IN SHARE MODE");
        return connection;
    }

    /** A connection to the database, for what takes more than one statement. */
    Connection connect() throws SQLException {
        return dataSource().getConnection();
    }

    /** Whether a transaction waits for another one. */
    boolean hasWaitingTransactions() {
        return jdbc().sql("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
                .query(Boolean.class)
                .single();
    }

    /** Redis, by the connection of the call before, or a new one if Redis has been away since. */
    synchronized RedisCommands<String, String> redis() {
        if (redis == null || !answers(redis)) {
            closeRedis();
            redisClient = RedisClient.create(RedisURI.builder()
                    .withHost(redisStore().host())
                    .withPort(redisStore().port())
                    .withTimeout(Duration.ofSeconds(10))
                    .build());
            redisClient.setOptions(ClientOptions.builder().autoReconnect(false).build());
            redis = redisClient.connect().sync();
        }
        return redis;
    }

    private static boolean answers(RedisCommands<String, String> redis) {
        try {
            return redis.ping().equals("PONG");
        } catch (RedisException e) {
            return false;
        }
    }

    private synchronized void closeRedis() {
        if (redisClient != null) {
            redisClient.shutdown(Duration.ZERO, Duration.ofSeconds(2));
            redisClient = null;
            redis = null;
        }
    }

    Store postgres() {
        return stack.postgres();
    }

    Store redisStore() {
        return stack.redis();
    }

    /** A topic that no other test uses, for tests that share a system. */
    static String newTopic() {
        return "topic-" + UUID.randomUUID();
    }

    /** Runs a publisher against the first API to its end, for five minutes at most. */
    PublisherRun runPublisher(String... arguments) {
        try {
            Path output = Files.createTempFile(TARGET, "publisher-", ".log");
            Process publisher = stack.startPublisher(Redirect.to(output.toFile()), List.of(arguments));
            boolean ended = publisher
                    .onExit()
                    .thenApply(end -> true)
                    .completeOnTimeout(false, PUBLISHER_ENDS_WITHIN.toSeconds(), TimeUnit.SECONDS)
                    .join();
            publisher.destroyForcibly().onExit().join();
            String written = Files.readString(output);
            Files.delete(output);
            if (!ended) {
                throw new AssertionError("The publisher did not end within " + PUBLISHER_ENDS_WITHIN + ":\n" + written);
            }
            return new PublisherRun(publisher.exitValue(), written);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The last lines of every process's log. */
    String logs() {
        StringBuilder logs = new StringBuilder();
        for (Store store : List.of(postgres(), redisStore())) {
            append(logs, store.name(), store.logTail());
        }
        for (ServiceProcess service : stack.services()) {
            append(logs, service.name(), service.logTail());
        }
        return logs.toString();
    }

    private static void append(StringBuilder logs, String name, String tail) {
        logs.append("\n---- ").append(name).append('\n').append(tail).append('\n');
    }

    @Override
    public void close() {
        closeRedis();
        stack.close();
        if (!Thread.currentThread().equals(closeAtTheEnd)) {
            Runtime.getRuntime().removeShutdownHook(closeAtTheEnd);
        }
    }
}
