package io.github.logaggregator.worker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class TurnTest {
    private static final Duration SOON = Duration.ofSeconds(10);

    private final Turn turn = new Turn();

    @Test
    void isGivenToOneAtATime() throws InterruptedException {
        assertThat(turn.await()).isTrue();
        CompletableFuture<Boolean> next = next();

        // Longer than a settlement may hold somebody up: whoever claims, or waits for events, keeps it.
        Awaitility.await()
                .during(Duration.ofMillis(400))
                .atMost(SOON)
                .untilAsserted(() -> assertThat(next).isNotDone());
        turn.end();

        assertThat(next).succeedsWithin(SOON).isEqualTo(true);
    }

    @Test
    void holdsNobodyUpWhereASettlementTakesLong() throws InterruptedException {
        assertThat(turn.await()).isTrue();
        turn.keep();

        assertThat(next()).succeedsWithin(SOON).isEqualTo(false);
    }

    @Test
    void isGivenAgainAfterALongSettlement() throws InterruptedException {
        assertThat(turn.await()).isTrue();
        turn.keep();
        assertThat(next()).succeedsWithin(SOON).isEqualTo(false);
        turn.end();

        assertThat(next()).succeedsWithin(SOON).isEqualTo(true);
    }

    private CompletableFuture<Boolean> next() {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return turn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
    }
}
