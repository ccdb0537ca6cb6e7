package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import io.github.logaggregator.tests.LossyProxy.HeldReply;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A worker that is frozen for longer than its lease, and goes on when another one has settled its claim, changes
 * nothing.
 */
@OwnSystem(workers = 0)
class FrozenWorkerIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    private static AggregatorSystem system;
    private static ServiceProcess worker;
    private static ServiceProcess other;
    private static LossyProxy toRedis;
    private static LossyProxy toPostgres;

    /** When the worker is frozen. */
    enum Moment {
        /** It has the claim, and has not asked PostgreSQL for anything: it settles it after the other one did. */
        BEFORE_THE_SETTLEMENT {
            @Override
            void freezeWhileItSettles(List<Event> events) {
                HeldReply claim = toRedis.holdReply(events.getLast().eventId());
                publish(events);
                claim.await();
                worker.pause();
                claim.release();
            }
        },
        /** PostgreSQL, which it wants to ask, is away, and comes back while the worker is frozen. */
        WITHOUT_POSTGRES {
            @Override
            void freezeWhileItSettles(List<Event> events) {
                system.postgres().pause();
                try {
                    publish(events);
                    await(() -> system.redis().zcard(KEYS.claims()) == 1);
                    worker.pause();
                } finally {
                    system.postgres().resume();
                }
            }
        },
        /** PostgreSQL is in the middle of its settlement, and commits it while the worker is frozen. */
        WITHIN_THE_SETTLEMENT {
            @Override
            void freezeWhileItSettles(List<Event> events) throws SQLException {
                try (Connection connection = system.connect()) {
                    connection.setAutoCommit(false);
                    connection.createStatement().execute("LOCK TABLE events IN SHARE MODE");
                    publish(events);
                    await(system::hasWaitingTransactions);
                    worker.pause();
                    connection.rollback();
                }
            }
        },
        /** PostgreSQL has committed and said so, which the worker reads when the other one has acknowledged the claim. */
        BETWEEN_COMMIT_AND_ACKNOWLEDGEMENT {
            @Override
            void freezeWhileItSettles(List<Event> events) {
                long before = system.stats().books().stored();
                HeldReply settlement = toPostgres.holdReply(events.getLast().eventId());
                publish(events);
                settlement.await();
                await(() -> system.stats().books().stored() == before + events.size());
                worker.pause();
                settlement.release();
            }
        };

        /** Publishes the events and freezes the worker while it holds the claim of them. */
        abstract void freezeWhileItSettles(List<Event> events) throws SQLException;
    }

    @BeforeAll
    static void startTwoWorkers(AggregatorSystem own) {
        system = own;
        toRedis = new LossyProxy(system.redisStore());
        toPostgres = new LossyProxy(system.postgres());
        LaunchOptions shortLease =
                LaunchOptions.defaults().withArguments("--worker.lease=2s", "--worker.rescue-interval=200ms");
        worker = system.startWorker(shortLease
                .withArguments(toRedis.asRedis())
                // What it waits for must not have timed out when it goes on; with one loop, it does one thing at a
                // time.
                .withArguments(toPostgres.asPostgres(), "--spring.data.redis.timeout=60s", "--worker.loops=1"));
        other = system.startWorker(shortLease);
    }

    @AfterEach
    void goOn() {
        Stream.of(worker, other).forEach(ServiceProcess::resume);
        Stream.of(toRedis, toPostgres).forEach(LossyProxy::passOn);
    }

    @AfterAll
    static void closeProxies() {
        Stream.of(toRedis, toPostgres).forEach(LossyProxy::close);
    }

    @ParameterizedTest
    @EnumSource
    void changesNothingWhenItGoesOn(Moment moment) throws SQLException {
        await(() -> system.redis().zcard(KEYS.claims()) == 0);
        Books before = system.stats().books();
        other.pause(); // so that the claim is the worker's
        String topic = AggregatorSystem.newTopic();
        List<Event> events = TestEvents.moreThanAnEntryHolds(topic);
        moment.freezeWhileItSettles(events);
        assertThat(system.redis().zcard(KEYS.claims())).isEqualTo(1);

        other.resume();
        await(() -> system.redis().zcard(KEYS.claims()) == 0);
        assertThat(change(before)).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));

        worker.resume();
        other.pause();
        // Taken when the worker is through with the claim it had.
        publish(List.of(TestEvents.event(topic, "one more")));
        system.awaitSettled();
        other.resume();
        await(() -> system.redis().zcard(KEYS.claims()) == 0);
        assertThat(change(before)).isEqualTo(new Books(TestEvents.MORE + 1, TestEvents.MORE + 1, 0, 0, 0, 0, 0));
        assertThat(system.redis().keys("aggregator:{0}:claim*")).isEmpty();
        assertThat(system.redis().hget(KEYS.counters(), "settled"))
                .isEqualTo(system.redis().hget(KEYS.counters(), "received"));
        assertThat(worker.log() + other.log()).doesNotContain("ERROR");
    }

    private static Books change(Books before) {
        return AggregatorSystem.change(before, system.stats().books());
    }

    private static void publish(List<Event> events) {
        system.publish(TestEvents.json(events)).then().statusCode(200);
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(condition);
    }
}
