package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import io.lettuce.core.ScriptOutputType;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** A claim whose worker died is settled by another one, and counts once; what nobody can read stops nobody. */
@OwnSystem(workers = 0)
class CrashIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final LaunchOptions SHORT_LEASE =
            LaunchOptions.defaults().withArguments("--worker.lease=2s", "--worker.rescue-interval=200ms");

    @Test
    void aClaimWhoseReplyWasLostIsRescued(AggregatorSystem system) throws IOException {
        publishEach(system, TestEvents.events("t", 20));
        claimBehindTheSystemsBack(system, 8, Duration.ofSeconds(1));

        system.startWorker(SHORT_LEASE);
        assertThat(system.awaitSettled()).isEqualTo(new Books(20, 20, 0, 0, 0, 0, 0));
    }

    @Test
    void aClaimInHandCountsAsInFlight(AggregatorSystem system) throws IOException {
        publishEach(system, TestEvents.events("t", 20));
        claimBehindTheSystemsBack(system, 8, Duration.ofMinutes(1));

        assertThat(system.stats().books()).isEqualTo(new Books(20, 0, 0, 0, 12, 8, 0));
    }

    @Test
    void whatAWorkerHeldWhenItWasKilledIsSettledByAnother(AggregatorSystem system) {
        ServiceProcess first = system.startWorker(SHORT_LEASE);
        system.postgres().pause();
        system.publish(TestEvents.json(TestEvents.events("t", 2_500)));
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> system.redis().zcard(KEYS.claims()) > 0);
        first.kill();
        system.postgres().resume();

        system.startWorker(SHORT_LEASE);
        assertThat(system.awaitSettled()).isEqualTo(new Books(2_500, 2_500, 0, 0, 0, 0, 0));
        // Acknowledged a moment after it is settled
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> system.redis().keys(KEYS.claimPrefix() + "*").isEmpty());
    }

    /** What is left when a worker dies between the commit and the acknowledgement. */
    @Test
    void aClaimThatIsDeliveredAgainAfterItWasSettledCountsOnce(AggregatorSystem system) throws IOException {
        publishEach(system, TestEvents.events("t", 10));
        String id = claimBehindTheSystemsBack(system, 10, Duration.ofSeconds(1));
        List<String> entries = system.redis().lrange(KEYS.claimPrefix() + id, 0, -1);
        system.startWorker(SHORT_LEASE);
        system.awaitSettled();

        // As it was before the acknowledgement.
        system.redis().rpush(KEYS.claimPrefix() + id, entries.toArray(String[]::new));
        system.redis().zadd(KEYS.claims(), 1, id);
        system.redis().hincrby(KEYS.counters(), "settled", -10);
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> system.redis().zcard(KEYS.claims()) == 0);
        assertThat(system.stats().books()).isEqualTo(new Books(10, 10, 0, 0, 0, 0, 0));
        assertThat(system.redis().hget(KEYS.counters(), "settled")).isEqualTo("10");
    }

    @Test
    void entriesThatNobodyCanReadBecomeDeadLettersAndTheOthersAreStored(AggregatorSystem system) {
        system.publish(TestEvents.json(TestEvents.events("t", 3)));
        // As if some other program had written to the list, and it counted.
        system.redis()
                .lpush(
                        KEYS.queue(),
                        "garbage",
                        "9 a newer version",
                        "2 1\n1765188000123 - - {\"topic\":\"t\"}",
                        "2 1\n1765188000123 - - {\"\\u0000\":1}",
                        "2 1\nsomewhen-else - - " + TestEvents.json(TestEvents.event("t", "4")));
        system.redis().hincrby(KEYS.counters(), "received", 5);
        system.publish(TestEvents.json(TestEvents.events("u", 3)));

        system.startWorker();
        assertThat(system.awaitSettled()).isEqualTo(new Books(11, 6, 0, 5, 0, 0, 0));
        assertThat(system.jdbc()
                        .sql("SELECT reason FROM dead_letters ORDER BY position")
                        .query(String.class)
                        .list())
                .containsExactly(
                        "not an entry of a known version",
                        "not an entry of a known version",
                        "event_id is missing",
                        "\uFFFD is no field of an event; what is particular to yours belongs into the payload",
                        "an entry without the time it was received");
        assertThat(system.jdbc()
                        .sql("SELECT convert_from(entry, 'UTF8') FROM dead_letters WHERE position = 4")
                        .query(String.class)
                        .single())
                .isEqualTo("garbage");
    }

    /** A check that only this test's database has, in place of data that only a later PostgreSQL would refuse. */
    @Test
    void anErrorThatIsNotTheEventsFaultCondemnsNoneAndStopsNoneBehindIt(AggregatorSystem system) {
        system.startWorker(SHORT_LEASE.withArguments("--worker.loops=1"));
        system.publish(TestEvents.json(TestEvents.event("t", "0")));
        system.awaitSettled();
        system.jdbc()
                .sql("ALTER TABLE events ADD CONSTRAINT shut CHECK (topic <> 'shut')")
                .update();
        system.publish(TestEvents.json(TestEvents.event("shut", "1")));
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> system.workers().getFirst().log().contains("fails; trying again"));
        system.publish(TestEvents.json(TestEvents.events("behind", 3)));
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> system.eventsOf("behind").size() == 3);
        assertThat(system.stats().books()).isEqualTo(new Books(5, 4, 0, 0, 0, 1, 0));

        system.jdbc().sql("ALTER TABLE events DROP CONSTRAINT shut").update();
        assertThat(system.awaitSettled()).isEqualTo(new Books(5, 5, 0, 0, 0, 0, 0));
    }

    /** Each in an entry of its own. */
    private static void publishEach(AggregatorSystem system, List<Event> events) {
        events.forEach(event -> system.publish(TestEvents.json(event)));
    }

    /** Claims as a worker does that dies before it does anything with it; gives the claim's id. */
    private static String claimBehindTheSystemsBack(AggregatorSystem system, int events, Duration lease)
            throws IOException {
        String script =
                Files.readString(AggregatorSystem.ROOT.resolve("aggregator-worker/src/main/resources/redis/claim.lua"));
        List<String> claim = system.redis()
                .eval(
                        script,
                        ScriptOutputType.MULTI,
                        new String[] {KEYS.queue(), KEYS.claims(), KEYS.counters(), KEYS.claimSizes()},
                        Integer.toString(events),
                        "8000000",
                        Long.toString(lease.toMillis()),
                        "dead-worker",
                        KEYS.claimPrefix(),
                        "0");
        assertThat(claim).hasSize(events + 2);
        return claim.getFirst();
    }
}
