package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import io.lettuce.core.Range;
import io.lettuce.core.ScoredValue;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;

/** A claim stays with the worker that tries to settle it, and with none that does not. */
@OwnSystem(workers = 0)
class LeaseIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final LaunchOptions ONE_LOOP =
            LaunchOptions.defaults().withArguments("--worker.loops=1", "--worker.rescue-interval=200ms");

    @Test
    void isRenewedAsLongAsItsWorkerTriesAndRunsOutWhenThatIsKilled(AggregatorSystem system) throws SQLException {
        Duration lease = Duration.ofSeconds(3);
        LaunchOptions options = ONE_LOOP.withArguments("--worker.lease=" + lease.toSeconds() + "s");
        ServiceProcess first = system.startWorker(options);
        try (Connection lock = system.lockEvents()) {
            system.publish(TestEvents.json(TestEvents.events("t", 10)));
            await(10).until(() -> system.redis().zcard(KEYS.claims()) == 1);
            double leaseEnd = claim(system).getScore();

            ServiceProcess second = system.startWorker(options);
            await(30).until(() -> claim(system).getScore() >= leaseEnd + 2 * lease.toMillis());
            assertThat(second.log()).doesNotContain("Took claim");

            long killed = System.nanoTime();
            first.kill();
            lock.rollback();
            assertThat(system.awaitSettled()).isEqualTo(new Books(10, 10, 0, 0, 0, 0, 0));
            await(10).until(() -> system.redis().zcard(KEYS.claims()) == 0);
            assertThat(Duration.ofNanos(System.nanoTime() - killed)).isLessThan(lease.plusSeconds(5));
            assertThat(second.log()).contains("Took claim");
        }
    }

    /** The leases of this test outlast it, so whatever is settled by a second worker was handed to it. */
    @Test
    void isHandedBackByAWorkerThatStopsOrFails(AggregatorSystem system) throws SQLException {
        LaunchOptions options = ONE_LOOP.withArguments("--worker.lease=10m", "--worker.stop-timeout=2s");
        for (String statement : List.of(
                "CREATE ROLE stranger LOGIN PASSWORD '" + EmbeddedPostgresStore.PASSWORD + "'",
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO stranger")) {
            system.jdbc().sql(statement).update();
        }
        ServiceProcess stranger = system.startWorker(
                options.withArguments("--spring.datasource.username=stranger", "--spring.flyway.enabled=false"));
        system.publish(TestEvents.json(TestEvents.events("t", 10)));
        await(30).until(() -> system.redis().zcount(KEYS.claims(), Range.create(0, now(system))) == 1);
        // What can't store anything takes nothing more.
        system.publish(TestEvents.json(TestEvents.events("u", 10)));
        assertThat(system.stats().books()).isEqualTo(new Books(20, 0, 0, 0, 10, 10, 0));

        ServiceProcess able = system.startWorker(options);
        assertThat(system.awaitSettled()).isEqualTo(new Books(20, 20, 0, 0, 0, 0, 0));
        system.awaitAcknowledged();
        assertThat(stranger.stopGracefully()).as(stranger.logTail()).isTrue();

        try (Connection lock = system.lockEvents()) {
            system.publish(TestEvents.json(TestEvents.events("v", 10)));
            await(10).until(() -> system.redis().zcard(KEYS.claims()) == 1);
            assertThat(able.stopGracefully()).as(able.logTail()).isTrue();
            assertThat(claim(system).getScore()).isLessThanOrEqualTo(now(system));
            lock.rollback();
        }
        system.startWorker(options);
        assertThat(system.awaitSettled()).isEqualTo(new Books(30, 30, 0, 0, 0, 0, 0));
    }

    private static ScoredValue<String> claim(AggregatorSystem system) {
        return system.redis().zrangeWithScores(KEYS.claims(), 0, 0).getFirst();
    }

    private static double now(AggregatorSystem system) {
        return 1000.0 * (Long.parseLong(system.redis().time().getFirst()) + 1);
    }

    private static ConditionFactory await(int seconds) {
        return Awaitility.await().atMost(seconds, TimeUnit.SECONDS);
    }
}
