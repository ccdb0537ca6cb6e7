package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What is unsettled is bounded, in number, bytes and memory, and drains when it is full. Without a worker nothing is settled. */
@OwnSystem(apis = 0, workers = 0)
class QueueBoundIT {
    @Test
    void refusesWhatWouldPassTheBoundAndGoesOnWhenThereIsRoomAgain(AggregatorSystem system) {
        system.startApi(LaunchOptions.defaults().withArguments("--api.queue.max-events=10"));
        assertThat(system.publish(TestEvents.json(TestEvents.events("t", 8))).statusCode())
                .isEqualTo(200);

        system.publish(TestEvents.json(TestEvents.events("u", 3)))
                .then()
                .statusCode(429)
                .contentType("application/problem+json")
                .header("Retry-After", equalTo("1"))
                .body("status", equalTo(429))
                .body("detail", containsString("full"));
        assertThat(system.publish(TestEvents.json(TestEvents.events("v", 2))).statusCode())
                .isEqualTo(200);
        assertThat(system.stats().books()).isEqualTo(new Books(10, 0, 0, 0, 10, 0, 0));

        system.publish(TestEvents.json(TestEvents.events("w", 11)))
                .then()
                .statusCode(413)
                .contentType("application/problem+json");

        system.startWorker();
        assertThat(system.awaitSettled()).isEqualTo(new Books(10, 10, 0, 0, 0, 0, 0));
        // There is room when the claim is acknowledged, a moment after it is settled.
        Awaitility.await()
                .until(() -> system.publish(TestEvents.json(TestEvents.events("u", 10)))
                                .statusCode()
                        == 200);
        assertThat(system.awaitSettled().stored()).isEqualTo(20);
    }

    @Test
    void boundsTheBytesToo(AggregatorSystem system) {
        system.startApi(LaunchOptions.defaults().withArguments("--api.queue.max-size=1MB"));
        List<Integer> statuses = IntStream.range(0, 4)
                .mapToObj(i -> system.publish(
                                TestEvents.json(TestEvents.ofPayloadSize("t", Integer.toString(i), 300_000)))
                        .statusCode())
                .toList();
        assertThat(statuses).containsExactly(200, 200, 200, 429);

        // What could never fit is no matter of time.
        system.publish(TestEvents.json(TestEvents.ofPayloadSize("t", "5", 1 << 20)))
                .then()
                .statusCode(413)
                .contentType("application/problem+json")
                .body("detail", containsString("api.queue"));
        system.startWorker();
        assertThat(system.awaitSettled().stored()).isEqualTo(3);
        String received = system.redis().hget("aggregator:{0}:counters", "received_bytes");
        Awaitility.await()
                .until(() -> received.equals(system.redis().hget("aggregator:{0}:counters", "settled_bytes")));
    }

    @Test
    void answersThatRedisIsFullAndStillDrains(AggregatorSystem system) {
        system.startApi(LaunchOptions.defaults());
        String used = system.redis()
                .info("memory")
                .lines()
                .filter(line -> line.startsWith("used_memory:"))
                .findFirst()
                .orElseThrow()
                .substring("used_memory:".length());
        system.redis().configSet("maxmemory", Long.toString(Long.parseLong(used) + (8 << 20)));
        int taken = 0;
        int status = 200;
        for (; status == 200 && taken < 100; taken += status == 200 ? 1 : 0) {
            status = system.publish(TestEvents.json(TestEvents.ofPayloadSize("t", Integer.toString(taken), 1 << 20)))
                    .statusCode();
        }
        assertThat(status).isEqualTo(429);
        assertThat(taken).isPositive();

        system.startWorker();
        assertThat(system.awaitSettled()).isEqualTo(new Books(taken, taken, 0, 0, 0, 0, 0));
        assertThat(system.publish(TestEvents.json(TestEvents.event("t", "after")))
                        .statusCode())
                .isEqualTo(200);
    }

    /** What comes while Redis is at work goes to it together. All of these do not fit, and those do that are small. */
    @Test
    void takesOfAGroupEachRequestThatFitsWhole(AggregatorSystem system) {
        system.startApi(
                LaunchOptions.defaults().withArguments("--api.queue.max-events=10", "--spring.data.redis.timeout=20s"));
        system.publish(TestEvents.json(TestEvents.events("t", 4))).then().statusCode(200);
        system.redisStore().pause();
        List<CompletableFuture<Integer>> small = publishEach(system, 3, 2);
        List<CompletableFuture<Integer>> large = publishEach(system, 7, 30);
        system.redisStore().resume();
        assertThat(small.stream().map(CompletableFuture::join)).containsOnly(200);
        assertThat(large.stream().map(CompletableFuture::join)).containsOnly(429);
        assertThat(system.stats().books()).isEqualTo(new Books(10, 0, 0, 0, 10, 0, 0));
    }

    private static List<CompletableFuture<Integer>> publishEach(AggregatorSystem system, int events, int requests) {
        String body = TestEvents.json(TestEvents.events("t", events));
        return IntStream.range(0, requests)
                .mapToObj(i -> CompletableFuture.supplyAsync(
                        () -> system.publish(body).statusCode(), Thread::startVirtualThread))
                .toList();
    }

    @Test
    void answersThatTooMuchIsBeingSent(AggregatorSystem system) throws IOException {
        system.startApi(LaunchOptions.defaults()
                .withArguments(sizes("event"), sizes("request"), "--api.max-bodies-in-hand=1MB"));
        String body = TestEvents.json(TestEvents.ofPayloadSize("t", "1", 600_000));
        try (Socket slow = new Socket(system.api().getHost(), system.api().getPort())) {
            String head = "POST /publish HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
                    + body.length() + "\r\n\r\n";
            slow.getOutputStream()
                    .write((head + body.substring(0, body.length() - 1)).getBytes(StandardCharsets.US_ASCII));
            Awaitility.await()
                    .atMost(10, TimeUnit.SECONDS)
                    .untilAsserted(() -> system.publish(body)
                            .then()
                            .statusCode(503)
                            .contentType("application/problem+json")
                            .header("Retry-After", equalTo("1")));
        }
        // What its producer gave up on is no longer in hand.
        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> system.publish(body).statusCode() == 200);
    }

    private static String sizes(String what) {
        return "--api.max-" + what + "-size=1MB";
    }
}
