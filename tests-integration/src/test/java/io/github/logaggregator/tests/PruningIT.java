package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
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
                        Collections.nCopies(10, "1 1765188000123 - - " + TestEvents.json(TestEvents.event("t", "0")))
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
        String settled = system.jdbc()
                .sql("SELECT max(settled_at)::text FROM settled_claims")
                .query(String.class)
                .single();
        // Until pruning goes by what was noted after all of that.
        await().until(() -> {
            renew(system, id);
            return system.jdbc()
                    .sql("SELECT min(noted_at) > ?::timestamptz FROM pruning_marks")
                    .param(settled)
                    .query(Boolean.class)
                    .single();
        });
        assertThat(count(system, "settled_claims")).isOne();
        assertThat(system.stats().books()).isEqualTo(books);

        system.redis().zadd(KEYS.claims(), 1, id);
        await().until(() -> count(system, "settled_claims") == 0);
        assertThat(system.redis().zcard(KEYS.claims())).isZero();
        assertThat(system.stats().books()).isEqualTo(books);
        assertThat(count(system, "pruning_marks")).isLessThan(50);
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
