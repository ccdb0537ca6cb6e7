package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.lessThan;

import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Stats.Books;
import io.restassured.response.Response;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
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
    // OutagesIT has stores that hang.
    @EnumSource(names = "STOPPED")
    @OwnSystem
    void withoutRedisPublishingIs503AndReadingGoesOn(Absence absence, AggregatorSystem system) {
        system.publish(TestEvents.json(TestEvents.event("t", "before")));
        system.awaitSettled();

        absence.begin(system.redisStore());
        assertUnavailable(system.publish(TestEvents.json(TestEvents.event("t", "during"))));
        assertUnavailable(system.http().get("/stats"));
        assertThat(system.http().get("/readyz").statusCode()).isEqualTo(503);
        assertThat(system.http().get("/livez").statusCode()).isEqualTo(200);
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
    // OutagesIT has stores that hang.
    @EnumSource(names = "STOPPED")
    @OwnSystem
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
        assertThat(system.http().get("/readyz").statusCode()).isEqualTo(200);
        absence.end(system.postgres());

        assertThat(system.awaitSettled()).isEqualTo(new Books(51, 51, 0, 0, 0, 0, 0));
    }

    @ParameterizedTest
    @EnumSource
    @OwnSystem(apis = 0, workers = 0)
    void servicesStartBeforeTheirStores(Absence absence, AggregatorSystem system) {
        List<Store> stores = List.of(system.postgres(), system.redisStore());
        stores.forEach(absence::begin);
        CompletableFuture<Void> services =
                CompletableFuture.runAsync(() -> system.start(1, 1), Thread::startVirtualThread);
        Awaitility.await()
                .atMost(90, TimeUnit.SECONDS)
                .until(() -> system.workers().size() == 1
                        && system.workers().getFirst().log().contains("Started WorkerApplication")
                        && system.apis().getFirst().log().contains("Started ApiApplication"));
        // None of them waits behind the others.
        List<CompletableFuture<Response>> tooEarly = Stream.generate(() -> CompletableFuture.supplyAsync(
                        () -> system.publish(TestEvents.json(TestEvents.event("t", "too early"))),
                        Thread::startVirtualThread))
                .limit(20)
                .toList();
        assertThat(tooEarly)
                .allSatisfy(answer -> answer.join()
                        .then()
                        .statusCode(503)
                        .header("Retry-After", equalTo("1"))
                        .time(lessThan(8_000L), TimeUnit.MILLISECONDS));

        stores.forEach(absence::end);
        Awaitility.await().atMost(10, TimeUnit.SECONDS).until(services::isDone);
        services.join();
        system.publish(TestEvents.json(TestEvents.event("t", "1"))).then().statusCode(200);
        assertThat(system.awaitSettled()).isEqualTo(new Books(1, 1, 0, 0, 0, 0, 0));
        for (ServiceProcess service :
                List.of(system.apis().getFirst(), system.workers().getFirst())) {
            assertThat(service.log().lines()).hasSizeLessThan(40);
        }
    }
}
