package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a user sees first: the publisher's figures are exact. */
@OwnSystem
class FirstRunIT {
    @Test
    void aThousandEventsAreSevenHundredStoredAndThreeHundredDuplicates(AggregatorSystem system) {
        PublisherRun first = system.runPublisher();
        assertThat(first.status()).as(first.output()).isZero();
        assertThat(system.stats().books()).isEqualTo(new Books(1000, 700, 300, 0, 0, 0, 0));
        assertThat(system.stats().topics().values().stream()
                        .mapToLong(Long::longValue)
                        .sum())
                .isEqualTo(700);
        assertThat(system.stats().workers()).isEqualTo(1);

        PublisherRun second = system.runPublisher();
        assertThat(second.status()).as(second.output()).isZero();
        assertThat(system.stats().books()).isEqualTo(new Books(2000, 1400, 600, 0, 0, 0, 0));

        List<Event> orders = system.events("?topic=orders&limit=5").events();
        assertThat(orders).hasSize(5).allSatisfy(event -> {
            assertThat(event.topic()).isEqualTo("orders");
            assertThat(event.eventId()).isNotBlank();
            assertThat(event.source()).isEqualTo("publisher");
            assertThat(TestEvents.tree(event.payload()).get("amount").isNumber())
                    .isTrue();
        });
    }

    @Test
    void theSameSeedSendsNothingNew(AggregatorSystem system) {
        for (Books expected : List.of(new Books(500, 350, 150, 0, 0, 0, 0), new Books(1000, 350, 650, 0, 0, 0, 0))) {
            PublisherRun run = system.runPublisher("--publisher.count=500", "--publisher.seed=42");
            assertThat(run.status()).as(run.output()).isZero();
            assertThat(system.stats().books()).isEqualTo(expected);
        }
    }
}
