package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.tests.AggregatorSystem.EventsPage;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/** Pages that are followed miss nothing and give nothing twice while events arrive, and each costs the same at any depth. */
@OwnSystem(apis = 1, workers = 3)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PagesIT {
    private static final int ROWS = 200_000;
    private static final int TOPICS = 5;

    private static AggregatorSystem system;

    @BeforeAll
    static void keep(AggregatorSystem own) {
        system = own;
    }

    private static String key(Event event) {
        return event.topic() + "/" + event.eventId();
    }

    /** Publishes small batches to three topics, by four producers, until it is told to stop; gives how many events these were. */
    private static Future<Integer> publishing(ExecutorService threads, AtomicBoolean stop, String topic) {
        AtomicInteger number = new AtomicInteger();
        List<Future<?>> producers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            producers.add(threads.submit(() -> {
                Random random = new Random();
                while (!stop.get()) {
                    List<Event> batch = Stream.generate(() ->
                                    TestEvents.event(topic + random.nextInt(3), "later-" + number.incrementAndGet()))
                            .limit(1 + random.nextInt(20))
                            .toList();
                    system.publish(TestEvents.json(batch)).then().statusCode(200);
                }
            }));
        }
        return threads.submit(() -> {
            for (Future<?> producer : producers) {
                producer.get();
            }
            return number.get();
        });
    }

    @Test
    @Order(1)
    void newestFirstWhatWasThereIsOnOnePageWhileEventsArrive() throws Exception {
        String topic = AggregatorSystem.newTopic();
        Set<String> before = new HashSet<>();
        for (int i = 0; i < 3; i++) {
            List<Event> events = TestEvents.events(topic + i, 400);
            system.publish(TestEvents.json(events));
            events.forEach(event -> before.add(key(event)));
        }
        system.awaitSettled();
        AtomicBoolean stop = new AtomicBoolean();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Integer> published = publishing(threads, stop, topic);
            try {
                for (String query : List.of(
                        "?limit=60", "?limit=70&topic=" + topic + "0&topic=" + topic + "1&topic=" + topic + 2)) {
                    List<String> read =
                            system.allEvents(query).stream().map(PagesIT::key).toList();
                    assertThat(read).doesNotHaveDuplicates().containsAll(before);
                }
            } finally {
                stop.set(true);
            }
            assertThat(published.get()).isPositive();
        }
        system.awaitSettled();
    }

    @Test
    @Order(2)
    void oldestFirstEachEventIsOnOnePageWhileEventsArrive() throws Exception {
        String topic = AggregatorSystem.newTopic();
        String topics = "topic=" + topic + "0&topic=" + topic + "1&topic=" + topic + 2;
        AtomicBoolean stop = new AtomicBoolean();
        List<String> read = new ArrayList<>();
        int published;
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<Integer> publishing = publishing(threads, stop, topic);
            String next = "?order=asc&limit=23&" + topics;
            try {
                // Follows what arrives, at its very end.
                while (read.size() < 1_500) {
                    next = follow(next, read, 10);
                }
            } finally {
                stop.set(true);
            }
            published = publishing.get();
            system.awaitSettled();
            system.awaitHorizon();
            follow(next, read, Integer.MAX_VALUE);
        }
        assertThat(read).doesNotHaveDuplicates().hasSize(published);
    }

    /** Notes the events of some pages, and gives the query of the page after; of the last that is known, if there is none yet. */
    private static String follow(String first, List<String> read, int pages) {
        String query = first;
        for (int i = 0; i < pages; i++) {
            EventsPage page = system.events(query);
            if (page.next() == null) {
                if (pages == Integer.MAX_VALUE) {
                    page.events().forEach(event -> read.add(key(event)));
                    return query;
                }
            } else {
                page.events().forEach(event -> read.add(key(event)));
                query = page.next();
            }
        }
        return query;
    }

    @Test
    @Order(3)
    void whatIsCommittedLateIsNotSkipped() throws Exception {
        String topic = AggregatorSystem.newTopic();
        system.publish(TestEvents.json(TestEvents.events(topic, 10)));
        system.awaitSettled();
        system.awaitHorizon();
        String asked = "?order=asc&limit=4&topic=" + topic;
        String last;
        try (Connection connection = system.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO events (topic, event_id, ts, source, payload, received_at) VALUES ('" + topic
                    + "', 'late', now(), 'test', '{}', now())");
            List<Event> later = Stream.of("x", "y", "z")
                    .map(id -> TestEvents.event(topic, id))
                    .toList();
            system.publish(TestEvents.json(later));
            system.awaitSettled();
            // What stands there already and can't be overtaken; the newest first, all of it.
            assertThat(system.allEvents(asked))
                    .extracting(Event::eventId)
                    .containsExactly(ids(topic, "event_id NOT IN ('x', 'y', 'z', 'late')"));
            assertThat(system.allEvents("?topic=" + topic)).hasSize(13);
            last = follow(asked, new ArrayList<>(), 3);
            connection.commit();
        }
        system.awaitHorizon();
        List<String> all = new ArrayList<>();
        system.allEvents(asked).forEach(event -> all.add(event.eventId()));
        assertThat(all).hasSize(14).containsExactly(ids(topic, "true"));
        assertThat(system.allEvents(last))
                .extracting(Event::eventId)
                .containsExactlyElementsOf(all.subList(8, 14))
                .contains("late");
    }

    private static String[] ids(String topic, String where) {
        return system.jdbc()
                .sql("SELECT event_id FROM events WHERE topic = ? AND " + where
                        + " ORDER BY arrival_xid, arrival_number")
                .param(topic)
                .query(String.class)
                .list()
                .toArray(String[]::new);
    }

    /**
     * As PostgreSQL itself tells the plans of what the API asks: on a table of many rows, of which PostgreSQL has no statistics at
     * first; then often enough for the driver to prepare the statements, which PostgreSQL may plan without their parameters.
     */
    @Test
    @Order(4)
    void eachQueryFollowsAnIndexAndLooksAtABoundedNumberOfEvents() throws SQLException {
        fill();
        // For the sessions of the API that is started next.
        try (Connection connection = system.connect();
                Statement statement = connection.createStatement()) {
            for (String setting : List.of(
                    "session_preload_libraries = auto_explain",
                    "auto_explain.log_min_duration = 0",
                    "auto_explain.log_analyze = on",
                    "auto_explain.log_buffers = on",
                    "auto_explain.log_nested_statements = on")) {
                statement.execute("ALTER ROLE aggregator IN DATABASE aggregator SET " + setting);
            }
        }
        ServiceProcess api = system.startApi(LaunchOptions.defaults().withArguments("--api.payload-indexes=rare"));
        Awaitility.await().until(() -> api.log().contains("Built the index"));
        String middle = system.jdbc()
                .sql(
                        "SELECT arrival_xid || '-' || arrival_number FROM events WHERE topic = 'plan-1' AND event_id = '100001'")
                .query(String.class)
                .single();
        String time = system.jdbc()
                .sql("SELECT to_char(stored_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM events"
                        + " WHERE topic = 'plan-1' AND event_id = '100001'")
                .query(String.class)
                .single();
        for (boolean analysed : List.of(false, true)) {
            if (analysed) {
                system.jdbc().sql("ANALYZE events").update();
            }
            for (String order : List.of("order=desc", "order=asc")) {
                for (String cursor : List.of("", "&cursor=" + middle)) {
                    String page = order + cursor;
                    check(api, analysed, "/events?" + page, 500);
                    check(api, analysed, "/events?topic=plan-1&" + page, 500);
                    // There has been nothing of this topic for long.
                    check(api, analysed, "/events?topic=plan-old&" + page, 500);
                    check(api, analysed, "/events?topic=plan-1&topic=plan-2&topic=plan-old&" + page, 1_000);
                    check(api, analysed, "/events?source=nobody&" + page, 4_000);
                    check(api, analysed, "/events?topic=plan-1&topic=plan-old&source=nobody&" + page, 4_000);
                    check(api, analysed, "/events?topic=plan-1&from=2030-01-01T00:00:00Z&" + page, 4_000);
                    check(api, analysed, "/events?payload.n=no&" + page, 4_000);
                    check(api, analysed, "/events?topic=plan-1&payload.n=no&" + page, 4_000);
                    check(api, analysed, "/events?payload.rare=7&" + page, 300);
                    check(api, analysed, "/events?topic=plan-1&payload.rare=7&source=nobody&" + page, 300);
                    check(api, analysed, "/events?since=" + time + "&until=" + time + "&" + page, 4_000);
                }
            }
            check(api, analysed, "/events?topic=plan-1&event_id=100001", 10);
            check(api, analysed, "/events/plan-1/100001", 10);
            check(api, analysed, "/events.ndjson?topic=plan-old", 500);
            check(api, analysed, "/topics", 1_000);
        }
    }

    @Test
    @Order(5)
    void whatNoIndexServesIsFoundAtTheEndOfPagesThatMayBeEmpty() {
        for (String query : List.of(
                "?payload.n=12341",
                "?order=asc&payload.n=12341&source=test",
                "?payload.n=12341&topic=plan-1",
                "?payload.n=12341&topic=plan-1&topic=plan-2&topic=plan-old",
                "?order=asc&payload.n=12341&topic=plan-1&topic=plan-2&topic=plan-old")) {
            EventsPage first = system.events(query);
            assertThat(first.events()).as(query).isEmpty();
            assertThat(first.next()).as(query).isNotNull();
            assertThat(system.allEvents(query))
                    .as(query)
                    .extracting(Event::eventId)
                    .containsExactly("12341");
        }
        // Of many that meet it each is found, whatever the pages' limits are, also where the index is not used.
        assertThat(system.allEvents("?payload.rare=7&limit=3"))
                .hasSize(ROWS / 1_000)
                .doesNotHaveDuplicates();
    }

    private static void fill() throws SQLException {
        try (Connection connection = system.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("TRUNCATE events");
            statement.execute("ALTER TABLE events SET (autovacuum_enabled = false)");
            int batch = 4_000;
            for (int i = 0; i < ROWS; i += batch) {
                statement.execute("""
                        INSERT INTO events (topic, event_id, ts, source, payload, received_at)
                        SELECT CASE WHEN n < 200 THEN 'plan-old' ELSE 'plan-' || n %% %d END, n::text, now(), 'test',
                            CASE WHEN n %% 1000 = 999 THEN '{"rare": 7}'::jsonb ELSE jsonb_build_object('n', n) END, now()
                        FROM generate_series(%d, %d) AS n
                        """.formatted(TOPICS, i, i + batch - 1));
            }
        }
    }

    /** Asks once, or often enough for a plan without the parameters, and checks the plans that PostgreSQL made for it. */
    private static void check(ServiceProcess api, boolean often, String path, int mostPages) {
        int before = system.postgres().log().length();
        for (int i = 0; i < (often ? 11 : 1); i++) {
            system.http()
                    .baseUri(api.uri().toString())
                    .urlEncodingEnabled(false)
                    .get(path)
                    .then()
                    .statusCode(200);
        }
        Predicate<String> complete = log -> log.contains("Query Text");
        String plans = Awaitility.await()
                .pollDelay(Duration.ZERO)
                .until(() -> withoutSamples(system.postgres().log().substring(before)), complete);
        assertThat(plans)
                .as(path)
                .doesNotContain("Seq Scan on events", "Bitmap Heap Scan on events")
                .contains(" on events");
        Matcher buffers = Pattern.compile("plan:.*?Buffers: shared hit=(\\d+)(?: read=(\\d+))?", Pattern.DOTALL)
                .matcher(plans);
        while (buffers.find()) {
            int pages = Integer.parseInt(buffers.group(1))
                    + (buffers.group(2) == null ? 0 : Integer.parseInt(buffers.group(2)));
            assertThat(pages).as("%s: %s", path, buffers.group()).isLessThan(mostPages);
        }
    }

    /** What the API asks once a second beside all requests is told apart by what only its statements have. */
    private static String withoutSamples(String log) {
        return Stream.of(log.split("(?=duration: )"))
                .filter(plan -> !plan.contains("percentile_cont")
                        && !plan.contains("open_claims")
                        && !plan.contains("max(sequence)"))
                .collect(Collectors.joining());
    }
}
