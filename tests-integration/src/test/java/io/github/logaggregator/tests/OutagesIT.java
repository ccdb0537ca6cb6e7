package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.EmbeddedRedisStore;
import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Isolated;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.jdbc.datasource.SingleConnectionDataSource;

/**
 * Whatever keeps a store from its work, for however long: nothing is lost or counted twice, no service ends, spins or
 * fills its log, and ten seconds after the store's return all that was sent is stored.
 */
@Isolated("it measures how soon all is well again")
class OutagesIT {
    private static final Duration BACK_WITHIN = Duration.ofSeconds(10);
    private static final Duration SHORT = Duration.ofSeconds(4);
    private static final Duration LONG = Duration.ofSeconds(11);

    /** What the API answers to a producer meanwhile. */
    private enum Publishing {
        GOES_ON,
        IS_REFUSED,
        /** It is refused at first, and goes on while the trouble still lasts. */
        HEALS
    }

    /** What the API tells in its log: that the store is away, and that it is back. */
    private enum ApiTells {
        REDIS("Redis"),
        POSTGRES("PostgreSQL"),
        /** It may find a connection that works before a request has failed. */
        POSTGRES_PERHAPS("PostgreSQL"),
        NOTHING("");

        private final String store;

        ApiTells(String store) {
            this.store = store;
        }
    }

    /** Something that begins and ends; what it throws fails the test. */
    private interface Step {
        void run() throws Exception;
    }

    /** @param lasts how long at least */
    private record Trouble(
            String name, Duration lasts, Step begin, Step end, Publishing publishing, ApiTells apiTells) {
        /**
         * Whether it goes on until the worker has told that it can't settle. Where connections lead nowhere, the pool may
         * find out before a settlement does.
         */
        boolean isFeltByTheWorker() {
            return publishing == Publishing.GOES_ON && !lasts.isZero();
        }
    }

    @TestFactory
    @OwnSystem(apis = 0, workers = 0)
    Stream<DynamicTest> ofAStoreAreToldOnceAndOverTenSecondsAfterItsReturn(AggregatorSystem system) {
        // So that a test can take all of them.
        system.jdbc().sql("ALTER SYSTEM SET max_connections = 40").update();
        restart(system.postgres());
        LossyProxy redis = new LossyProxy(system.redisStore());
        LossyProxy postgres = new LossyProxy(system.postgres());
        LaunchOptions options =
                LaunchOptions.defaults().withArguments(redis.asRedis()).withArguments(postgres.asPostgres());
        Outage outage = new Outage(system, system.startApi(options), system.startWorker(options));
        List<Connection> taken = new ArrayList<>();

        Stream<Trouble> troubles = Stream.of(
                new Trouble(
                        "Redis hangs",
                        LONG,
                        system.redisStore()::pause,
                        system.redisStore()::resume,
                        Publishing.IS_REFUSED,
                        ApiTells.REDIS),
                new Trouble(
                        "PostgreSQL hangs",
                        LONG,
                        system.postgres()::pause,
                        system.postgres()::resume,
                        Publishing.GOES_ON,
                        ApiTells.POSTGRES),
                new Trouble(
                        "Redis was killed",
                        SHORT,
                        system.redisStore()::kill,
                        () -> start(system.redisStore()),
                        Publishing.IS_REFUSED,
                        ApiTells.REDIS),
                new Trouble(
                        "PostgreSQL was killed",
                        SHORT,
                        system.postgres()::kill,
                        () -> start(system.postgres()),
                        Publishing.GOES_ON,
                        ApiTells.POSTGRES),
                new Trouble(
                        "the connections to Redis lead nowhere",
                        Duration.ZERO,
                        redis::forgetConnections,
                        () -> {},
                        Publishing.HEALS,
                        ApiTells.REDIS),
                new Trouble(
                        "the connections to PostgreSQL lead nowhere",
                        Duration.ZERO,
                        postgres::forgetConnections,
                        () -> {},
                        Publishing.GOES_ON,
                        ApiTells.POSTGRES_PERHAPS),
                new Trouble(
                        "PostgreSQL has no connection left",
                        SHORT,
                        () -> takeAllConnections(system, taken),
                        () -> giveBack(taken),
                        Publishing.GOES_ON,
                        ApiTells.POSTGRES),
                new Trouble(
                        "PostgreSQL is read-only",
                        SHORT,
                        () -> setReadOnly(system, "on"),
                        () -> setReadOnly(system, "off"),
                        Publishing.GOES_ON,
                        ApiTells.NOTHING),
                new Trouble(
                        "PostgreSQL is in recovery",
                        SHORT,
                        () -> restartInRecovery(system),
                        () -> system.jdbc()
                                .sql("SELECT pg_promote()")
                                .query(Boolean.class)
                                .single(),
                        Publishing.GOES_ON,
                        ApiTells.POSTGRES_PERHAPS));
        return Stream.of(
                        troubles.map(trouble -> dynamicTest(trouble.name(), () -> outage.test(trouble))),
                        Stream.of(
                                dynamicTest("Redis forgets the scripts", outage::testForgottenScripts),
                                dynamicTest("PostgreSQL's disk is full", () -> testFullDiskOfPostgres(system, outage)),
                                dynamicTest("the books balance after all of these", outage::testBooks),
                                // the last one, since its disk goes with it
                                dynamicTest("Redis' disk is full", () -> testFullDiskOfRedis(system, outage))))
                .flatMap(tests -> tests)
                .onClose(() -> Stream.of(redis, postgres).forEach(LossyProxy::close));
    }

    private static void start(Store store) {
        store.start();
        store.awaitReady();
    }

    private static void restart(Store store) {
        store.stop();
        start(store);
    }

    private static void takeAllConnections(AggregatorSystem system, List<Connection> taken) throws SQLException {
        taken.add(connect(system));
        JdbcClient first = JdbcClient.create(new SingleConnectionDataSource(taken.getFirst(), true));
        String services = " FROM pg_stat_activity WHERE application_name LIKE 'aggregator-%'";
        while (first.sql("SELECT count(*)" + services).query(Long.class).single() > 0) {
            first.sql("SELECT pg_terminate_backend(pid)" + services)
                    .query(Boolean.class)
                    .list();
            try {
                while (true) {
                    taken.add(connect(system));
                }
            } catch (SQLException e) {
                assertThat(e.getSQLState()).as(e.toString()).isEqualTo("53300"); // too many connections
            }
        }
    }

    private static Connection connect(AggregatorSystem system) throws SQLException {
        return DriverManager.getConnection(
                EmbeddedPostgresStore.jdbcUrl(
                        system.postgres().host(), system.postgres().port()),
                EmbeddedPostgresStore.USER,
                EmbeddedPostgresStore.PASSWORD);
    }

    private static void giveBack(List<Connection> taken) throws SQLException {
        for (Connection connection : taken) {
            connection.close();
        }
    }

    private static void setReadOnly(AggregatorSystem system, String onOrOff) {
        system.jdbc()
                .sql("ALTER SYSTEM SET default_transaction_read_only = " + onOrOff)
                .update();
        system.jdbc().sql("SELECT pg_reload_conf()").query(Boolean.class).single();
    }

    private static void restartInRecovery(AggregatorSystem system) throws IOException {
        assumeEmbedded();
        Path data = dataOfPostgres(system);
        system.postgres().stop();
        Files.createFile(data.resolve("standby.signal"));
        start(system.postgres());
    }

    private static Path dataOfPostgres(AggregatorSystem system) {
        return Path.of(
                system.jdbc().sql("SHOW data_directory").query(String.class).single());
    }

    private static void testFullDiskOfPostgres(AggregatorSystem system, Outage outage) throws Exception {
        assumeEmbedded();
        try (SmallDisk disk = SmallDisk.at(dataOfPostgres(system).resolveSibling("small-disk"))) {
            system.jdbc()
                    .sql("CREATE TABLESPACE small LOCATION '" + disk.path() + "'")
                    .update();
            system.jdbc().sql("ALTER TABLE events SET TABLESPACE small").update();
            outage.test(new Trouble(
                    "PostgreSQL's disk is full",
                    SHORT,
                    () -> {
                        disk.fill();
                        outage.sendBatch(500);
                    },
                    disk::makeRoom,
                    Publishing.GOES_ON,
                    ApiTells.NOTHING));
            system.jdbc().sql("ALTER TABLE events SET TABLESPACE pg_default").update();
            system.jdbc().sql("DROP TABLESPACE small").update();
        }
    }

    /** Redis ends when it can't write to its append-only file; an operator makes room and starts it again. */
    private static void testFullDiskOfRedis(AggregatorSystem system, Outage outage) throws Exception {
        assumeEmbedded();
        Path data = Path.of(system.redis().configGet("dir").get("dir"));
        system.redisStore().stop();
        try (SmallDisk disk = SmallDisk.over(data)) {
            start(system.redisStore());
            outage.awaitBack();
            outage.test(new Trouble(
                    "Redis' disk is full",
                    SHORT,
                    () -> {
                        disk.fill();
                        outage.sendBatch(500);
                        Awaitility.await()
                                .atMost(BACK_WITHIN)
                                .until(() -> !EmbeddedRedisStore.answers(
                                        system.redisStore().host(),
                                        system.redisStore().port()));
                    },
                    () -> {
                        disk.makeRoom();
                        start(system.redisStore());
                    },
                    Publishing.IS_REFUSED,
                    ApiTells.REDIS));
        }
    }

    private static void assumeEmbedded() {
        assumeTrue(
                Backing.chosen() == Backing.EMBEDDED,
                "Skipped: the stores run in containers, whose disks are out of this test's reach");
    }

    /** A producer that sends each of its events until it is answered with 200, and what it sees of an outage. */
    private static final class Outage {
        private static final String TOPIC = "outages";

        private final AggregatorSystem system;
        private final ServiceProcess api;
        private final ServiceProcess worker;
        private int taken;

        Outage(AggregatorSystem system, ServiceProcess api, ServiceProcess worker) {
            this.system = system;
            this.api = api;
            this.worker = worker;
        }

        void test(Trouble trouble) throws Exception {
            awaitToldThatItIsBack();
            Books before = awaitBack();
            int takenBefore = taken;
            long apiPid = api.pid();
            long workerPid = worker.pid();
            String apiLog = api.log();
            String workerLog = worker.log();
            Duration cpuBefore = cpu(apiPid).plus(cpu(workerPid));

            trouble.begin().run();
            long begun = System.nanoTime();
            List<Integer> statuses = new ArrayList<>();
            Awaitility.await()
                    .atMost(Duration.ofMinutes(2))
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> {
                        statuses.add(send());
                        system.http().get("/events?limit=1");
                        return System.nanoTime() - begun > trouble.lasts().toNanos()
                                && (!trouble.isFeltByTheWorker()
                                        || added(worker, workerLog).contains("PostgreSQL fails"));
                    });
            Duration cpu = cpu(apiPid).plus(cpu(workerPid)).minus(cpuBefore);
            Duration lasted = Duration.ofNanos(System.nanoTime() - begun);
            trouble.end().run();
            long returned = System.nanoTime();
            Books after = awaitBack();
            Duration back = Duration.ofNanos(System.nanoTime() - returned);
            System.out.printf(
                    "%s: %.1f s, CPU %.1f s, back after %.1f s%n",
                    trouble.name(), lasted.toMillis() / 1e3, cpu.toMillis() / 1e3, back.toMillis() / 1e3);

            switch (trouble.publishing()) {
                case GOES_ON -> assertThat(statuses).containsOnly(200);
                case IS_REFUSED -> assertThat(statuses).containsOnly(503);
                case HEALS -> assertThat(statuses).startsWith(503);
            }
            assertThat(back).isLessThan(BACK_WITHIN);
            assertThat(api.isAlive() && worker.isAlive()).isTrue();
            // What was queued behind an answer that got lost was sent again, and is a duplicate.
            long sentAgain = after.received() - before.received() - (taken - takenBefore);
            assertThat(after)
                    .isEqualTo(new Books(
                            after.received(),
                            before.stored() + taken - takenBefore,
                            before.duplicates() + sentAgain,
                            before.deadLettered(),
                            0,
                            0,
                            before.unaccounted()));
            assertLogged(trouble, apiLog, workerLog);
            if (trouble.lasts().equals(LONG)) {
                assertThat(cpu).isLessThan(lasted.dividedBy(3));
            }
        }

        void testForgottenScripts() {
            awaitBack();
            int before = taken;
            String apiLog = api.log();
            String workerLog = worker.log();
            for (int i = 0; i < 50; i++) {
                system.redis().scriptFlush();
                assertThat(send()).isEqualTo(200);
            }
            awaitBack();
            assertThat(taken).isGreaterThan(before + 50);
            assertThat(api.log()).isEqualTo(apiLog);
            assertThat(added(worker, workerLog)).doesNotContain("fails");
        }

        /** Sends the next event, or the one before again if that was not taken; gives the status. */
        int send() {
            return send(1);
        }

        /** Sends so many events at once, once; they count only if they were taken. */
        void sendBatch(int events) {
            int unused = send(events);
        }

        private int send(int events) {
            List<String> batch = Stream.iterate(taken, i -> i + 1)
                    .limit(events)
                    .map(i -> TestEvents.json(TestEvents.event(TOPIC, Integer.toString(i))))
                    .toList();
            int status = system.publish("[" + String.join(",", batch) + "]").statusCode();
            if (status == 200) {
                taken += events;
            }
            return status;
        }

        /** Waits until events are taken and all that were are settled. */
        Books awaitBack() {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> send() == 200);
            return system.awaitSettled();
        }

        /** Each event that was taken is stored, and none twice. */
        void testBooks() {
            Books books = awaitBack();
            assertThat(books).isEqualTo(new Books(books.received(), taken, books.received() - taken, 0, 0, 0, 0));
            assertThat(system.jdbc()
                            .sql("SELECT count(*) FROM events")
                            .query(Integer.class)
                            .single())
                    .isEqualTo(taken);
        }

        private void assertLogged(Trouble trouble, String apiLog, String workerLog) {
            awaitToldThatItIsBack();
            String told = added(api, apiLog);
            if (trouble.apiTells() == ApiTells.NOTHING
                    || (trouble.apiTells() == ApiTells.POSTGRES_PERHAPS && told.isEmpty())) {
                assertThat(told).isEmpty();
            } else {
                String store = trouble.apiTells().store;
                assertThat(told.lines()).hasSize(2);
                assertThat(told).containsSubsequence(store + " does not answer", store + " answers again");
            }
            // That a store is away and that it is back, however many loops find out; where only connections are broken,
            // one loop may find its own when the others are done with theirs.
            String byWorker = added(worker, workerLog);
            for (String store : List.of("Redis", "PostgreSQL")) {
                assertThat(byWorker.lines().filter(line -> line.contains(store + " fails")))
                        .hasSizeLessThanOrEqualTo(4);
            }
            assertThat(byWorker.lines()).hasSizeLessThanOrEqualTo(4 * 8);
        }

        /** The API tells that a store is back when it has answered for a while; the worker, when each loop has settled a claim. */
        private void awaitToldThatItIsBack() {
            Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> {
                send();
                system.http().get("/stats");
                return api.log().lastIndexOf(" does not answer") <= api.log().lastIndexOf(" answers again")
                        && count("PostgreSQL fails") == count("PostgreSQL works again");
            });
        }

        private long count(String told) {
            return worker.log().lines().filter(line -> line.contains(told)).count();
        }

        private static String added(ServiceProcess service, String before) {
            return service.log().substring(before.length());
        }

        private static Duration cpu(long pid) {
            return ProcessHandle.of(pid)
                    .flatMap(process -> process.info().totalCpuDuration())
                    .orElseThrow();
        }
    }
}
