package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import io.github.logaggregator.tests.LossyProxy.HeldReply;
import java.util.Collections;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;

/** The ids of settled claims are forgotten when nobody can settle them any more, and not before. */
class PruningIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    @Test
    @OwnSystem(workers = 0)
    void forgetsWhatIsAcknowledgedAndKeepsWhatMayComeAgain(AggregatorSystem system) {
        system.startWorker(LaunchOptions.defaults()
                .withArguments(
                        "--worker.lease=3s",
                        "--worker.fence=3s",
                        "--worker.prune-interval=200ms",
                        "--worker.rescue-interval=200ms"));
        // What a worker leaves that has settled a claim of ten duplicates and never comes to acknowledge it.
        long sequence = system.redis().hincrby(KEYS.counters(), "claims", 1);
        String id = "sleeper:" + sequence;
        renew(system, id);
        system.redis()
                .rpush(
                        KEYS.claimPrefix() + id,
                        Collections.nCopies(10, "2 1\n1765188000123 - - " + TestEvents.json(TestEvents.event("t", "0")))
                                .toArray(String[]::new));
        system.redis().hincrby(KEYS.counters(), "received", 10);
        system.jdbc()
                .sql("INSERT INTO settled_claims VALUES (0, ?, 'sleeper', 10)")
                .param(sequence)
                .update();
        system.jdbc().sql("INSERT INTO totals_delta VALUES ('t', 0, 10, 0)").update();

        system.publish(TestEvents.json(TestEvents.events("t", 2_500)));
        Books books = new Books(2_510, 2_500, 10, 0, 0, 0, 0);
        await().until(() -> {
            renew(system, id);
            return system.stats().books().equals(books);
        });
        assertThat(count(system, "settled_claims")).isGreaterThan(1);
        assertThat(count(system, "pruning_marks")).isPositive();
        // Two rounds of pruning by what was noted after all of that.
        for (int round = 0; round < 2; round++) {
            String now =
                    system.jdbc().sql("SELECT now()::text").query(String.class).single();
            await().until(() -> {
                renew(system, id);
                return system.jdbc()
                        .sql("SELECT min(noted_at) > ?::timestamptz FROM pruning_marks")
                        .param(now)
                        .query(Boolean.class)
                        .single();
            });
        }
        assertThat(count(system, "settled_claims")).isOne();
        assertThat(system.stats().books()).isEqualTo(books);

        system.redis().zadd(KEYS.claims(), 1, id);
        await().until(() -> count(system, "settled_claims") == 0);
        assertThat(system.redis().zcard(KEYS.claims())).isZero();
        assertThat(system.stats().books()).isEqualTo(books);
        assertThat(count(system, "pruning_marks")).isLessThan(50);
    }

    /** Without its fence it would settle, as new, what has been settled and forgotten. */
    @Test
    @OwnSystem(workers = 0)
    void changesNothingForAWorkerThatComesBackWhenItsClaimIsForgotten(AggregatorSystem system) {
        LaunchOptions options = LaunchOptions.defaults()
                .withArguments(
                        "--worker.loops=1",
                        "--worker.lease=2s",
                        "--worker.fence=2s",
                        "--worker.prune-interval=200ms",
                        "--worker.rescue-interval=200ms");
        try (LossyProxy toRedis = new LossyProxy(system.redisStore())) {
            ServiceProcess late = system.startWorker(
                    options.withArguments(toRedis.asRedis()).withArguments("--spring.data.redis.timeout=60s"));
            HeldReply claim = toRedis.holdReply(TestEvents.theLastOf("t"));
            system.publish(TestEvents.json(TestEvents.moreThanAnEntryHolds("t")))
                    .then()
                    .statusCode(200);
            claim.await();
            late.pause();
            claim.release();
            system.startWorker(options);
            assertThat(system.awaitSettled()).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));
            await().until(() -> count(system, "settled_claims") == 0);

            late.resume();
            await().until(() -> late.log().contains("too late to know whether it counts"));
            assertThat(system.stats().books()).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));
            assertThat(count(system, "settled_claims")).isZero();
        }
    }

    /** Not beyond twice the lease: that would pass for a clock that was set back. */
    private static void renew(AggregatorSystem system, String id) {
        double now = 1_000 * Double.parseDouble(system.redis().time().getFirst());
        system.redis().zadd(KEYS.claims(), now + 5_000, id);
    }

    private static long count(AggregatorSystem system, String table) {
        return system.jdbc()
                .sql("SELECT count(*) FROM " + table)
                .query(Long.class)
                .single();
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(30, TimeUnit.SECONDS).pollInterval(100, TimeUnit.MILLISECONDS);
    }
}
