package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import io.github.logaggregator.tests.LossyProxy.HeldReply;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.restassured.response.Response;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A store that did what it was asked for, and whose reply is lost on the way, makes nobody lose or count an event twice. */
@OwnSystem(apis = 0, workers = 0)
class LostReplyIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    private static AggregatorSystem system;
    private static ServiceProcess worker;
    private static LossyProxy fromApiToRedis;
    private static LossyProxy fromWorkerToRedis;
    private static LossyProxy fromWorkerToPostgres;

    /** How a reply is lost. */
    enum Loss {
        /** The connection is cut; the driver connects again. */
        CUT {
            @Override
            void of(HeldReply reply, Runnable givenUp) {
                reply.cut();
                givenUp.run();
            }
        },
        /** It comes when nobody waits for it any longer, and must not be taken for the reply to something else. */
        LATE {
            @Override
            void of(HeldReply reply, Runnable givenUp) {
                givenUp.run();
                reply.release();
            }
        };

        /** Loses a reply; what waits until the service has given up on it is given. */
        abstract void of(HeldReply reply, Runnable givenUp);
    }

    @BeforeAll
    static void startBehindProxies(AggregatorSystem own) {
        system = own;
        fromApiToRedis = new LossyProxy(system.redisStore());
        fromWorkerToRedis = new LossyProxy(system.redisStore());
        fromWorkerToPostgres = new LossyProxy(system.postgres());
        system.startApi(LaunchOptions.defaults().withArguments(fromApiToRedis.asRedis()));
        worker = system.startWorker(LaunchOptions.defaults()
                .withArguments(fromWorkerToRedis.asRedis())
                .withArguments(
                        fromWorkerToPostgres.asPostgres(),
                        "--worker.lease=2s",
                        "--worker.rescue-interval=200ms",
                        "--spring.datasource.hikari.data-source-properties.socketTimeout=3"));
        // From now on Redis knows all scripts: none of the replies that are lost is the one that it does not.
        publishMoreThanAnEntryHolds(AggregatorSystem.newTopic());
        system.awaitSettled();
    }

    @AfterEach
    void passEverythingOn() {
        worker.resume();
        proxies().forEach(LossyProxy::passOn);
    }

    @AfterAll
    static void closeProxies() {
        proxies().forEach(LossyProxy::close);
    }

    private static Stream<LossyProxy> proxies() {
        return Stream.of(fromApiToRedis, fromWorkerToRedis, fromWorkerToPostgres);
    }

    @ParameterizedTest
    @EnumSource
    void ofTheQueueIsA503AndWhatIsSentAgainIsADuplicate(Loss loss) {
        Books before = settledBooks();
        String topic = AggregatorSystem.newTopic();
        String event = TestEvents.json(TestEvents.event(topic, "1"));

        HeldReply reply = fromApiToRedis.holdReply(topic);
        CompletableFuture<Response> answer =
                CompletableFuture.supplyAsync(() -> system.publish(event), Thread::startVirtualThread);
        reply.await();
        await(() -> count("received") == before.received() + 1);
        loss.of(reply, answer::join);
        answer.join().then().statusCode(503).header("Retry-After", "1");

        await(() -> system.publish(event).statusCode() == 200);
        // Two, not three: the API's driver did not send it again by itself.
        assertThat(change(before)).isEqualTo(new Books(2, 1, 1, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @EnumSource
    void toAClaimLeavesItsEventsToTheLease(Loss loss) {
        Books before = settledBooks();
        String topic = AggregatorSystem.newTopic();
        // The reply to the wait holds the first entry only.
        HeldReply reply = fromWorkerToRedis.holdReply(TestEvents.theLastOf(topic));
        publishMoreThanAnEntryHolds(topic);
        reply.await();
        assertThat(system.stats().books().inFlight()).isEqualTo(TestEvents.MORE);
        loss.of(reply, awaitFailure());

        assertThat(change(before)).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @EnumSource
    void toTheCommitOfASettlementIsSettledAgainAndCountsOnce(Loss loss) {
        Books before = settledBooks();
        String topic = AggregatorSystem.newTopic();
        HeldReply reply = fromWorkerToPostgres.holdReply(topic);
        publishMoreThanAnEntryHolds(topic);
        reply.await();
        await(() -> system.stats().books().stored() == before.stored() + TestEvents.MORE);
        loss.of(reply, awaitFailure());

        assertThat(change(before)).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @EnumSource
    void toAnAcknowledgementIsAcknowledgedAgainAndCountsOnce(Loss loss) throws IOException {
        Books before = settledBooks();
        String script = system.redis().scriptLoad(script("acknowledge"));
        HeldReply reply = fromWorkerToRedis.holdReply(script);
        publishMoreThanAnEntryHolds(AggregatorSystem.newTopic());
        reply.await();
        await(() -> system.redis().zcard(KEYS.claims()) == 0);
        loss.of(reply, awaitFailure());

        assertThat(change(before)).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));
    }

    /** What this project's services switch off, and other clients of Redis do. */
    @Test
    void toAClaimThatTheDriverThenSendsAgainMakesTwoClaims() throws Exception {
        Books before = settledBooks();
        worker.pause(); // so that it takes nothing of this
        publishMoreThanAnEntryHolds(AggregatorSystem.newTopic());

        RedisClient driver = RedisClient.create(RedisURI.create("127.0.0.1", fromWorkerToRedis.port()));
        try {
            HeldReply reply = fromWorkerToRedis.holdReply("re-sending-driver");
            CompletableFuture<List<Object>> claim = driver.connect()
                    .async()
                    .<List<Object>>eval(
                            script("claim"),
                            ScriptOutputType.MULTI,
                            new String[] {KEYS.queue(), KEYS.claims(), KEYS.counters(), KEYS.claimSizes()},
                            "10",
                            "8000000",
                            "2000",
                            "re-sending-driver",
                            KEYS.claimPrefix(),
                            "0")
                    .toCompletableFuture();
            reply.await();
            await(() -> system.redis().llen(KEYS.queue()) == 1);
            reply.cut();
            assertThat(claim.get(1, TimeUnit.MINUTES)).hasSize(2 + 1);
        } finally {
            driver.shutdown();
        }
        assertThat(system.redis().zrange(KEYS.claims(), 0, -1))
                .hasSize(2)
                .allSatisfy(id -> assertThat(system.redis().lrange(KEYS.claimPrefix() + id, 0, -1))
                        .asInstanceOf(LIST)
                        .hasSize(1));

        worker.resume();
        assertThat(change(before)).isEqualTo(new Books(TestEvents.MORE, TestEvents.MORE, 0, 0, 0, 0, 0));
    }

    private static void publishMoreThanAnEntryHolds(String topic) {
        system.publish(TestEvents.json(TestEvents.moreThanAnEntryHolds(topic)))
                .then()
                .statusCode(200);
    }

    /** To wait until the worker says that something has failed since now, or fails already. */
    private static Runnable awaitFailure() {
        long before = told("fails; trying again");
        return () ->
                await(() -> told("fails; trying again") > before || told("fails; trying again") > told("works again"));
    }

    private static long told(String what) {
        return worker.log().lines().filter(line -> line.contains(what)).count();
    }

    private static Books settledBooks() {
        await(() -> system.redis().zcard(KEYS.claims()) + system.redis().llen(KEYS.queue()) == 0);
        return system.stats().books();
    }

    /** What has been added to the books, once everything is settled, and nothing is left of it. */
    private static Books change(Books before) {
        Books after = settledBooks();
        assertThat(system.redis().keys(KEYS.claimPrefix() + "*")).isEmpty();
        assertThat(count("settled")).isEqualTo(count("received"));
        assertThat(count("settled_bytes")).isEqualTo(count("received_bytes"));
        return AggregatorSystem.change(before, after);
    }

    private static long count(String counter) {
        String count = system.redis().hget(KEYS.counters(), counter);
        return count == null ? 0 : Long.parseLong(count);
    }

    private static String script(String name) throws IOException {
        return Files.readString(AggregatorSystem.ROOT
                .resolve("aggregator-worker/src/main/resources/redis")
                .resolve(name + ".lua"));
    }

    private static void await(Callable<Boolean> condition) {
        Awaitility.await().atMost(60, TimeUnit.SECONDS).until(condition);
    }
}
