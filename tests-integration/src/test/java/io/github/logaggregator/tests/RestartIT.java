package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Stats.Books;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An ordinary restart of any process, in the middle of the work, keeps everything. */
@OwnSystem
@Tag("stores")
class RestartIT {
    @Test
    void ofEachProcessUnderLoadLosesNothing(AggregatorSystem system) {
        CompletableFuture<PublisherRun> publisher = CompletableFuture.supplyAsync(() ->
                system.runPublisher("--publisher.count=20000", "--publisher.batch-size=10", "--publisher.rate=500"));
        List<Runnable> restarts = List.of(
                system.apis().getFirst()::restart,
                () -> restart(system.redisStore()),
                () -> restart(system.postgres()),
                system.workers().getFirst()::restart);
        long received = 0;
        for (Runnable restart : restarts) {
            awaitReceived(system, received + 500);
            restart.run();
            assertThat(publisher).isNotDone();
            received = awaitReceived(system, 1);
        }
        PublisherRun run = publisher.join();
        assertThat(run.status()).as(run.output()).isZero();

        Books books = system.stats().books();
        // What was queued without the publisher learning of it was sent again, and is a duplicate.
        assertThat(books.received()).isBetween(20_000L, 20_000L + 80L * restarts.size());
        assertThat(books).isEqualTo(new Books(books.received(), 14_000, books.received() - 14_000, 0, 0, 0, 0));
        assertThat(system.jdbc()
                        .sql("SELECT count(*) FROM events")
                        .query(Long.class)
                        .single())
                .isEqualTo(14_000);
        assertThat(system.redis().keys("aggregator:{0}:claim*")).isEmpty();
    }

    private static void restart(Store store) {
        store.stop();
        store.start();
        store.awaitReady();
    }

    private static long awaitReceived(AggregatorSystem system, long atLeast) {
        return Awaitility.await()
                .atMost(30, TimeUnit.SECONDS)
                .ignoreExceptions()
                .until(() -> system.stats().books().received(), received -> received >= atLeast);
    }

    @Test
    void ofAWorkerLeavesNoLeaseToRunOut(AggregatorSystem system) {
        ServiceProcess worker = system.workers().getFirst();
        for (int i = 0; i < 5; i++) {
            assertThat(system.publish(TestEvents.json(TestEvents.events("t" + i, 10_000)))
                            .statusCode())
                    .isEqualTo(200);
            assertThat(worker.stopGracefully()).as(worker.logTail()).isTrue();
            assertThat(system.redis().zcard("aggregator:{0}:claims")).isZero();
            worker.start();
        }
        assertThat(system.awaitSettled()).isEqualTo(new Books(50_000, 50_000, 0, 0, 0, 0, 0));
    }
}
