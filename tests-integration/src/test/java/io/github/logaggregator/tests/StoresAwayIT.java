package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.lessThan;

import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Stats.Books;
import io.restassured.response.Response;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A store that is away is told within two seconds, and nothing is lost for it. */
class StoresAwayIT {
    /** Whether connections are refused, or hang. */
    enum Absence {
        STOPPED {
            @Override
            void begin(Store store) {
                store.stop();
            }

            @Override
            void end(Store store) {
                store.start();
                store.awaitReady();
            }
        },
        PAUSED {
            @Override
            void begin(Store store) {
                store.pause();
            }

            @Override
            void end(Store store) {
                store.resume();
            }
        };

        abstract void begin(Store store);

        abstract void end(Store store);
    }

    private static void assertUnavailable(Response response) {
        response.then()
                .statusCode(503)
                .contentType("application/problem+json")
                .header("Retry-After", equalTo("1"))
                .body("status", equalTo(503))
                .time(lessThan(2_000L), TimeUnit.MILLISECONDS);
    }

    @ParameterizedTest
    @EnumSource
    @OwnSystem
    @Tag("stores")
    void withoutRedisPublishingIs503AndReadingGoesOn(Absence absence, AggregatorSystem system) {
        system.publish(TestEvents.json(TestEvents.event("t", "before")));
        system.awaitSettled();

        absence.begin(system.redisStore());
        assertUnavailable(system.publish(TestEvents.json(TestEvents.event("t", "during"))));
        assertUnavailable(system.http().get("/stats"));
        assertThat(system.http().get("/actuator/health/readiness").statusCode()).isEqualTo(503);
        assertThat(system.http().get("/actuator/health/liveness").statusCode()).isEqualTo(200);
        assertThat(system.eventsOf("t")).hasSize(1);
        absence.end(system.redisStore());

        Awaitility.await()
                .atMost(10, TimeUnit.SECONDS)
                .until(() -> system.publish(TestEvents.json(TestEvents.event("t", "after")))
                                .statusCode()
                        == 200);
        Books books = system.awaitSettled();
        assertThat(books.unaccounted()).isZero();
        assertThat(system.eventsOf("t")).contains(TestEvents.event("t", "after"));
    }

    @ParameterizedTest
    @EnumSource
    @OwnSystem
    @Tag("stores")
    void withoutPostgresPublishingGoesOnAndReadingIs503(Absence absence, AggregatorSystem system) {
        system.publish(TestEvents.json(TestEvents.event("t", "before")));
        system.awaitSettled();

        absence.begin(system.postgres());
        for (int i = 0; i < 50; i++) {
            system.publish(TestEvents.json(TestEvents.event("t", Integer.toString(i))))
                    .then()
                    .statusCode(200)
                    .time(lessThan(2_000L), TimeUnit.MILLISECONDS);
        }
        assertUnavailable(system.http().get("/events"));
        assertUnavailable(system.http().get("/stats"));
        assertThat(system.http().get("/actuator/health/readiness").statusCode()).isEqualTo(200);
        absence.end(system.postgres());

        assertThat(system.awaitSettled()).isEqualTo(new Books(51, 51, 0, 0, 0, 0, 0));
    }

    @Test
    @OwnSystem(apis = 0, workers = 0)
    void servicesStartBeforeTheirStores(AggregatorSystem system) {
        system.redisStore().stop();
        system.postgres().stop();
        CompletableFuture<Void> services = CompletableFuture.runAsync(() -> system.start(1, 1));
        Awaitility.await()
                .atMost(60, TimeUnit.SECONDS)
                .until(() -> system.workers().size() == 1
                        && system.workers().getFirst().log().contains("Started WorkerApplication")
                        && system.apis().getFirst().log().contains("Started ApiApplication"));
        assertUnavailable(system.publish(TestEvents.json(TestEvents.event("t", "too early"))));

        for (Store store : new Store[] {system.postgres(), system.redisStore()}) {
            store.start();
            store.awaitReady();
        }
        services.join();
        system.publish(TestEvents.json(TestEvents.event("t", "1"))).then().statusCode(200);
        assertThat(system.awaitSettled()).isEqualTo(new Books(1, 1, 0, 0, 0, 0, 0));
    }
}
