package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasSize;
import static org.hamcrest.Matchers.nullValue;

import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.Stats.Books;
import io.restassured.response.Response;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What can't be stored is kept with the reason, stops nothing, and can be tried again; the books balance all the time. */
@OwnSystem(workers = 0)
class DeadLettersIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    @Test
    void areTriedAgainOnRequestAndCountOnceWhateverBecomesOfThem(AggregatorSystem system) throws SQLException {
        system.publish(TestEvents.json(TestEvents.event("t", "known")));
        system.redis().lpush(KEYS.queue(), "garbage", "2 1\n1765188000123 - - {\"topic\":\"t\"}", "more garbage");
        system.redis().hincrby(KEYS.counters(), "received", 3);
        ServiceProcess worker = system.startWorker();
        assertThat(system.awaitSettled()).isEqualTo(new Books(4, 1, 0, 3, 0, 0, 0));

        Response page = system.http().get("/dead-letters?limit=2");
        page.then()
                .statusCode(200)
                .body("reason", contains("not an entry of a known version", "event_id is missing"))
                .body("entry", contains("more garbage", "1765188000123 - - {\"topic\":\"t\"}"))
                .body("[0].topic", nullValue())
                .body("[0].replay_requested_at", nullValue());
        assertThat(Instant.parse(page.path("[0].died_at")))
                .isBetween(Instant.now().minusSeconds(600), Instant.now());
        system.http()
                .get(page.header("Link").replaceFirst("<([^>]*)>; rel=\"next\"", "$1"))
                .then()
                .statusCode(200)
                .header("Link", nullValue())
                .body("entry", contains("garbage"));
        List<Integer> ids = system.http().get("/dead-letters").path("id");

        // Nothing has changed for them.
        system.http()
                .noContentType()
                .post("/dead-letters/replay")
                .then()
                .statusCode(202)
                .body("requested", equalTo(3));
        awaitReplayed(system);
        assertThat(system.stats().books()).isEqualTo(new Books(4, 1, 0, 3, 0, 0, 0));

        // The middle of a replay, in which its worker is killed.
        repair(system, ids.get(0), "new");
        try (Connection lock = system.lockEvents()) {
            replay(system, ids.get(0));
            Awaitility.await().atMost(20, TimeUnit.SECONDS).until(system::hasWaitingTransactions);
            worker.kill();
            lock.rollback();
        }
        assertThat(system.stats().books()).isEqualTo(new Books(4, 1, 0, 3, 0, 0, 0));
        system.startWorker();
        awaitReplayed(system);
        assertThat(system.stats().books()).isEqualTo(new Books(4, 2, 0, 2, 0, 0, 0));

        repair(system, ids.get(1), "known");
        replay(system, ids.get(1));
        awaitReplayed(system);
        assertThat(system.stats().books()).isEqualTo(new Books(4, 2, 1, 1, 0, 0, 0));
        system.http().get("/dead-letters").then().body("entry", contains("garbage"));
        assertThat(system.eventsOf("t"))
                .containsExactlyInAnyOrder(TestEvents.event("t", "new"), TestEvents.event("t", "known"));
        system.http()
                .noContentType()
                .post("/dead-letters/" + ids.get(1) + "/replay")
                .then()
                .statusCode(404)
                .contentType("application/problem+json");
    }

    /** A domain that only this test's database has, in place of data that only a later PostgreSQL would refuse. */
    @Test
    void areTheEventsThatPostgresRefusesAndNoOthersOfTheirClaim(AggregatorSystem system) {
        for (String statement : List.of(
                "CREATE SCHEMA stricter",
                "CREATE DOMAIN stricter.jsonb AS pg_catalog.jsonb CONSTRAINT lucky CHECK (NOT jsonb_exists(VALUE, 'unlucky'))",
                "ALTER ROLE CURRENT_USER SET search_path = stricter, pg_catalog, public")) {
            system.jdbc().sql(statement).update();
        }
        List<Event> events = new ArrayList<>(TestEvents.events("t", 10));
        events.add(5, new Event("t", "13", Instant.EPOCH, "test", "{\"unlucky\":true}"));
        system.publish(TestEvents.json(events)).then().statusCode(200);
        system.startWorker();
        assertThat(system.awaitSettled()).isEqualTo(new Books(11, 10, 0, 1, 0, 0, 0));
        system.http()
                .get("/dead-letters")
                .then()
                .body("topic", contains("t"))
                .body("event_id", contains("13"))
                .body("reason", contains("value for domain jsonb violates check constraint \"lucky\""));

        system.http().noContentType().post("/dead-letters/replay").then().statusCode(202);
        awaitReplayed(system);
        assertThat(system.stats().books()).isEqualTo(new Books(11, 10, 0, 1, 0, 0, 0));

        system.jdbc().sql("ALTER DOMAIN stricter.jsonb DROP CONSTRAINT lucky").update();
        system.http().noContentType().post("/dead-letters/replay").then().statusCode(202);
        awaitReplayed(system);
        assertThat(system.stats().books()).isEqualTo(new Books(11, 11, 0, 0, 0, 0, 0));
        system.http().get("/dead-letters").then().body("", hasSize(0));
    }

    private static void replay(AggregatorSystem system, int id) {
        system.http()
                .noContentType()
                .post("/dead-letters/" + id + "/replay")
                .then()
                .statusCode(202)
                .body("requested", equalTo(1));
    }

    private static void awaitReplayed(AggregatorSystem system) {
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> system.jdbc()
                                .sql("SELECT count(*) FROM replay_requests")
                                .query(Long.class)
                                .single()
                        == 0);
    }

    private static void repair(AggregatorSystem system, int id, String eventId) {
        byte[] line = QueuedEvent.encode(Instant.now(), null, TestEvents.json(TestEvents.event("t", eventId)));
        system.jdbc()
                .sql("UPDATE dead_letters SET entry = ? WHERE id = ?")
                .params(line, id)
                .update();
    }
}
