package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Events of a mebibyte, as many at once as the settings allow, fit into a modest heap. */
@OwnSystem(apis = 0, workers = 0)
class LargeEventsIT {
    private static final int MEBIBYTE = 1 << 20;
    private static final int BATCH = 7; // as many as a request may hold

    /**
     * With the garbage collector that a JVM takes by itself, which has the most trouble with large objects. The time-out
     * is for slow machines: what is sent again after one is a duplicate.
     */
    private static final LaunchOptions MODEST = LaunchOptions.defaults()
            .withJvmOptions("-Xmx256m", "-XX:-UseSerialGC", "-XX:+UseG1GC")
            .withArguments("--spring.data.redis.timeout=30s");

    @Test
    void ofAMebibyteFitIntoAHeapOf256(AggregatorSystem system) throws Exception {
        ServiceProcess api = system.startApi(MODEST);
        List<List<Event>> batches = IntStream.range(0, 9)
                .mapToObj(batch -> IntStream.range(0, BATCH)
                        .mapToObj(i -> ofAMebibyte("t", batch * BATCH + i))
                        .toList())
                .toList();
        // All at once, and before a worker comes: then each of its claims is as large as it may be.
        try (ExecutorService producers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Callable<Boolean>> requests = new ArrayList<>();
            batches.forEach(batch -> requests.add(() -> isTakenAtLast(system, TestEvents.json(batch))));
            for (Future<Boolean> taken : producers.invokeAll(requests)) {
                assertThat(taken.get()).isTrue();
            }
        }
        int count = batches.size() * BATCH;
        assertThat(system.redis().llen("aggregator:{0}:queue")).isEqualTo(count);

        ServiceProcess worker = system.startWorker(MODEST);
        assertThat(system.awaitSettled()).isEqualTo(new Books(count, count, 0, 0, 0, 0, 0));
        for (Event event : batches.stream().flatMap(List::stream).toList()) {
            assertThat(system.jdbc()
                            .sql("SELECT payload = ?::jsonb FROM events WHERE topic = ? AND event_id = ?")
                            .params(event.payload(), event.topic(), event.eventId())
                            .query(Boolean.class)
                            .single())
                    .isTrue();
        }
        for (ServiceProcess service : List.of(api, worker)) {
            assertThat(service.isAlive()).isTrue();
            assertThat(service.log()).doesNotContain("OutOfMemoryError");
        }
    }

    /** Sends a request again, as a producer does, as long as the API says that too much is in hand. */
    private static boolean isTakenAtLast(AggregatorSystem system, String json) {
        int last = Awaitility.await()
                .atMost(2, TimeUnit.MINUTES)
                .until(() -> system.publish(json).statusCode(), status -> status != 503);
        return last == 200;
    }

    /** One of four kinds, which weigh differently on the way. */
    private static Event ofAMebibyte(String topic, int number) {
        String payload = switch (number % 4) {
            case 0 -> "{\"text\":\"" + "x".repeat(MEBIBYTE) + "\"}";
            case 1 -> "{\"text\":\"" + "€".repeat(MEBIBYTE / 3) + "\"}";
            case 2 -> "{\"numbers\":[" + "7,".repeat(MEBIBYTE / 2) + number + "]}";
            default -> {
                StringBuilder fields = new StringBuilder("{");
                for (int i = 0; fields.length() < MEBIBYTE; i++) {
                    fields.append("\"field").append(i).append("\":{},");
                }
                yield fields.append("\"number\":").append(number).append('}').toString();
            }
        };
        return new Event(topic, Integer.toString(number), Instant.EPOCH, "test", payload);
    }
}
