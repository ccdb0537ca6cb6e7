package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.oneOf;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What the services tell in their logs: one line of each change, structured if that is wanted, and never a payload. */
@OwnSystem(apis = 0, workers = 0)
class LogsIT {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final String MARK = "mark-" + UUID.randomUUID();
    private static final Pattern SETTLED = Pattern.compile("Settled (\\d+) events in (\\d+) claims: (\\d+) stored, "
            + "(\\d+) duplicates, (\\d+) of them conflicting, (\\d+) dead letters");

    private static AggregatorSystem system;

    @BeforeAll
    static void use(AggregatorSystem own) {
        system = own;
    }

    @Test
    void tellEachChangeInOneLineAndNeverAPayload() {
        LaunchOptions structured = LaunchOptions.defaults()
                .withEnvironment("LOGGING_STRUCTURED_FORMAT_CONSOLE", "ecs")
                .withArguments("--logging.level.io.github.logaggregator=debug");
        ServiceProcess api = system.startApi(structured);
        refuseWhatIsUnlucky();
        ServiceProcess worker = system.startWorker(structured);

        Books books = publishAllSorts();
        // The worker's migration fails until then, which is one more thing that is told once.
        system.jdbc().sql("ALTER ROLE CURRENT_USER RESET search_path").update();
        // A first line sums up what there was before the next one, so there may be two.
        Awaitility.await().atMost(Duration.ofSeconds(25)).until(() -> settledEvents(worker) == books.received());

        for (Store store : List.of(system.redisStore(), system.postgres())) {
            store.stop();
            Awaitility.await().until(() -> isTold(worker, store) && isTold(api, store));
            store.start();
            store.awaitReady();
            Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> isToldToBeBack(worker, api));
        }
        api.stop();
        worker.stop();

        String told = api.log() + worker.log();
        assertThat(told).doesNotContain(MARK);
        for (ServiceProcess service : List.of(api, worker)) {
            assertThat(messages(service, "INFO", message -> message.equals("Stopping")))
                    .hasSize(1);
            assertThat(messages(service, "ERROR", message -> true)).isEmpty();
        }
        for (String store : List.of("Redis", "PostgreSQL")) {
            assertThat(messages(api, "WARN", message -> message.startsWith(store + " does not answer")))
                    .hasSize(1);
            assertThat(messages(api, "INFO", message -> message.equals(store + " answers again")))
                    .hasSize(1);
            assertThat(messages(worker, "WARN", message -> message.startsWith(store + " fails")))
                    .hasSize(1);
            assertThat(messages(worker, "INFO", message -> message.equals(store + " works again")))
                    .hasSize(1);
        }
        assertThat(messages(worker, "WARN", message -> message.contains("has dead letters")))
                .isNotEmpty()
                .anySatisfy(line -> assertThat(line).contains("not an entry of a known version"))
                .anySatisfy(line -> assertThat(line).contains("violates check constraint"));
        assertThat(messages(worker, "DEBUG", message -> message.contains("duplicates")))
                .isNotEmpty();
        List<Instant> summedUp = lines(worker).stream()
                .filter(line ->
                        SETTLED.matcher(line.get("message").stringValue()).matches())
                .map(line -> Instant.parse(line.get("@timestamp").stringValue()))
                .toList();
        for (int i = 1; i < summedUp.size(); i++) {
            assertThat(Duration.between(summedUp.get(i - 1), summedUp.get(i))).isGreaterThan(Duration.ofMillis(9_900));
        }
    }

    /** PostgreSQL's message names the constraint; beside it there is a detail, with the whole row. */
    @Test
    @OwnSystem
    void quoteNoRowThatPostgresRefuses(AggregatorSystem own) {
        own.jdbc()
                .sql("ALTER TABLE events ADD CONSTRAINT refusal CHECK (event_id <> 'refused')")
                .update();
        own.publish(TestEvents.json(new Event("t", "refused", Instant.EPOCH, "test", "{\"text\":\"" + MARK + "\"}")))
                .then()
                .statusCode(200);
        ServiceProcess worker = own.workers().getFirst();
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> worker.log().contains("violates check constraint \"refusal\""));
        own.jdbc().sql("ALTER TABLE events DROP CONSTRAINT refusal").update();
        assertThat(own.awaitSettled().stored()).isEqualTo(1);
        assertThat(worker.log()).doesNotContain(MARK);
    }

    /** A domain that only this test's database has, so that PostgreSQL itself refuses an event, and quotes it. */
    private static void refuseWhatIsUnlucky() {
        for (String statement : List.of(
                "CREATE SCHEMA stricter",
                "CREATE DOMAIN stricter.jsonb AS pg_catalog.jsonb CONSTRAINT lucky CHECK (NOT jsonb_exists(VALUE, 'unlucky'))",
                "ALTER ROLE CURRENT_USER SET search_path = stricter, pg_catalog, public")) {
            system.jdbc().sql(statement).update();
        }
    }

    /** Events that are stored, are there already, conflict, are refused, and can't be stored; the mark is in all payloads. */
    private static Books publishAllSorts() {
        for (String key : List.of("text", "another", "unlucky")) {
            Event event = new Event("t", "1", Instant.EPOCH, "test", "{\"" + key + "\":\"" + MARK + "\"}");
            system.publish(TestEvents.json(
                            List.of(event, event, new Event("t", key, Instant.EPOCH, "test", event.payload()))))
                    .then()
                    .statusCode(200);
        }
        for (String payload :
                List.of("\"%s\"", "{\"%s\": 1,}", "{\"a\": \"%s\", \"a\": 1}", "{\"%s\": \"\\u0000\"}", "%s")) {
            system.publish(
                            "{\"topic\": \"t\", \"event_id\": \"1\", \"timestamp\": \"2025-12-08T10:00:00Z\", \"source\": \"s\","
                                    + " \"payload\": " + payload.formatted(MARK) + "}")
                    .then()
                    .statusCode(oneOf(400, 422));
        }
        List<String> garbage = List.of(
                MARK,
                "2 1\n1765188000123 - - {\"topic\":\"t\",\"payload\":{\"a\":\"" + MARK + "\"}}",
                "2 1\n1765188000123 - - {\"topic\":\"t\",\"payload\":{\"" + MARK + "\":");
        system.redis().lpush(KEYS.queue(), garbage.toArray(String[]::new));
        system.redis().hincrby(KEYS.counters(), "received", garbage.size());
        return system.awaitSettled();
    }

    private static long settledEvents(ServiceProcess worker) {
        return lines(worker).stream()
                .map(line -> SETTLED.matcher(line.get("message").stringValue()))
                .filter(Matcher::matches)
                .mapToLong(line -> Long.parseLong(line.group(1)))
                .sum();
    }

    /** Asks for what needs the store, so that its absence is noticed. */
    private static boolean isTold(ServiceProcess service, Store store) {
        system.http().get("/stats");
        system.publish(TestEvents.json(TestEvents.event("t", "during")));
        String name = store.equals(system.redisStore()) ? "Redis" : "PostgreSQL";
        return !messages(service, "WARN", message -> message.startsWith(name)).isEmpty();
    }

    private static boolean isToldToBeBack(ServiceProcess worker, ServiceProcess api) {
        system.http().get("/stats");
        system.publish(TestEvents.json(TestEvents.event("t", "after")));
        return messages(worker, "WARN", message -> message.contains(" fails; ")).size()
                        == messages(worker, "INFO", message -> message.endsWith(" works again"))
                                .size()
                && messages(api, "WARN", message -> message.contains(" does not answer"))
                                .size()
                        == messages(api, "INFO", message -> message.endsWith(" answers again"))
                                .size();
    }

    private static List<String> messages(ServiceProcess service, String level, Predicate<String> kind) {
        return lines(service).stream()
                .filter(line -> line.at("/log/level").stringValue().equals(level))
                .map(line -> line.get("message").stringValue())
                .filter(kind)
                .toList();
    }

    /** Each line of a service's log as what it must be: a JSON object with the fields of the Elastic Common Schema. */
    private static List<JsonNode> lines(ServiceProcess service) {
        String log = service.log();
        // The last line may not be whole yet; the first one is the JVM's own.
        List<JsonNode> lines = log.substring(0, log.lastIndexOf('\n') + 1)
                .lines()
                .filter(line -> !line.startsWith("NOTE: Picked up JDK_JAVA_OPTIONS"))
                .map(TestEvents::tree)
                .toList();
        assertThat(lines).allSatisfy(line -> {
            assertThat(Instant.parse(line.get("@timestamp").stringValue())).isAfter(Instant.EPOCH);
            assertThat(line.at("/log/level").stringValue()).isNotEmpty();
            assertThat(line.at("/log/logger").stringValue()).isNotEmpty();
            assertThat(line.at("/service/name").stringValue())
                    .isEqualTo(service.name().replaceAll("-\\d+$", ""));
            assertThat(line.at("/ecs/version").stringValue()).isNotEmpty();
            assertThat(line.get("message").stringValue()).isNotEmpty();
        });
        return lines;
    }
}
