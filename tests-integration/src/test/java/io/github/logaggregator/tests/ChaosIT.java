package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.SoftAssertions.assertSoftly;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ManagedProcess;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.Stats.Books;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/**
 * All promises at once: publishers send, some of it twice, while APIs, workers, Redis and PostgreSQL are killed, stopped
 * and frozen as a seed wants it. A short run, unless system properties say otherwise (docs/operations.md, Chaos).
 */
class ChaosIT {
    private static final long SEED = Long.getLong("chaos.seed", new Random().nextInt(1_000_000));
    private static final int EVENTS = Integer.getInteger("chaos.events", 6_000);
    private static final int FAULTS = Integer.getInteger("chaos.faults", 12);
    private static final String RUN =
            "-Dchaos.seed=%d -Dchaos.events=%d -Dchaos.faults=%d".formatted(SEED, EVENTS, FAULTS);

    private static final double DUPLICATES = 0.35;
    private static final int TOPICS = 5;
    private static final int MOST_EVENTS_OF_A_REQUEST = 25;
    private static final int PUBLISHERS = 4;
    private static final int APIS = 2;
    private static final int WORKERS = 2;
    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    @Test
    @Timeout(value = 30, unit = TimeUnit.MINUTES)
    @OwnSystem(apis = 0, workers = 0)
    void nothingIsLostAndNothingCountsTwiceWhicheverProcessIsHit(AggregatorSystem system) {
        System.out.println("Chaos: " + RUN);
        try {
            slowDownCommits(system);
            system.start(
                    APIS,
                    WORKERS,
                    LaunchOptions.defaults()
                            .withArguments(
                                    "--worker.lease=" + LEASE.toMillis() + "ms", "--worker.rescue-interval=200ms"));
            run(system);
        } catch (Exception | AssertionError e) {
            throw new AssertionError("With " + RUN + ": " + e.getMessage(), e);
        }
    }

    @Test
    void theSameSeedGivesTheSameFaultsAndEvents() {
        List<List<String>> types = List.of(List.of("a", "b"), List.of("worker"), List.of("c"), List.of("d"));
        List<ScheduledFault> faults = ScheduledFault.draw(SEED, 25, types, LEASE);
        assertThat(ScheduledFault.draw(SEED, 25, types, LEASE))
                .isEqualTo(faults)
                .hasSize(25);
        assertThat(types)
                .allSatisfy(type -> assertThat(faults)
                        .filteredOn(fault -> type.contains(fault.target()))
                        .hasSizeGreaterThan(4));

        List<Event> events = events(SEED, 1_000);
        assertThat(events(SEED, 1_000)).isEqualTo(events).hasSize(1_000);
        assertThat(new HashSet<>(events)).hasSize(650);
    }

    /**
     * As on a slow disk, so that most faults find claims in hand, and many of them between commit and acknowledgement.
     */
    private static void slowDownCommits(AggregatorSystem system) {
        system.jdbc().sql("ALTER DATABASE aggregator SET commit_delay = 50000").update();
        system.jdbc().sql("ALTER DATABASE aggregator SET commit_siblings = 0").update();
    }

    private static void run(AggregatorSystem system) throws Exception {
        List<List<? extends ManagedProcess>> types =
                List.of(system.apis(), system.workers(), List.of(system.redisStore()), List.of(system.postgres()));
        List<ScheduledFault> faults = ScheduledFault.draw(SEED, FAULTS, names(types), LEASE);
        ChaosSchedule schedule = new ChaosSchedule(faults);
        List<Event> events = events(SEED, EVENTS);
        Semaphore pace = new Semaphore(0, true);
        AtomicInteger permitted = new AtomicInteger();
        AtomicInteger begun = new AtomicInteger();
        BooksWatch watch = new BooksWatch(system);
        ChaosPublisher.Account account = new ChaosPublisher.Account();
        Books books;
        long start = System.nanoTime();
        ScheduledExecutorService executor = Executors.newScheduledThreadPool(PUBLISHERS + 2);
        try {
            List<Future<ChaosPublisher.Account>> publishers = publishers(system, events, pace).stream()
                    .map(executor::submit)
                    .toList();
            Future<?> pacing = executor.scheduleWithFixedDelay(
                    () -> {
                        int due = (int) (schedule.progress() * EVENTS);
                        pace.release(due - permitted.getAndSet(due));
                    },
                    0,
                    20,
                    TimeUnit.MILLISECONDS);
            Future<?> watching = executor.scheduleWithFixedDelay(watch, 0, 50, TimeUnit.MILLISECONDS);
            schedule.run(processes(types), fault -> {
                System.out.printf(
                        "%6.1f s  %2d/%d  %s, after %,d events%n",
                        secondsSince(start), begun.incrementAndGet(), FAULTS, fault, permitted.get());
                assertThat(permitted)
                        .as("events that were sent before the fault")
                        .hasValueLessThan(EVENTS);
            });
            for (Future<ChaosPublisher.Account> publisher : publishers) {
                account.addAll(publisher.get());
            }
            books = Awaitility.await()
                    .atMost(2, TimeUnit.MINUTES)
                    .during(2, TimeUnit.SECONDS) // an API that was frozen may only now read what was sent to it
                    .ignoreExceptions()
                    .until(() -> system.stats().books(), rest -> rest.queued() + rest.inFlight() == 0);
            watching.cancel(false);
            pacing.cancel(false);
        } finally {
            executor.shutdownNow();
        }

        Set<Row> answered = rows(account.answered());
        Set<Row> unanswered = rows(account.unanswered());
        List<Row> stored = stored(system);
        Set<Row> lost = new HashSet<>(answered);
        stored.forEach(lost::remove);
        System.out.printf(
                """
                Chaos: %s
                  %,d events sent, %,d of them duplicates; %,d sends answered 200, %,d without an answer, %,d refused
                  %,d distinct events answered 200, %,d only without an answer; %,d rows; %s
                  lost: %,d, counted twice: %,d; %,d answers of /stats, %,d of them wrong; %.0f s
                  faults: %s
                """,
                RUN,
                EVENTS,
                EVENTS - new HashSet<>(events).size(),
                account.answered().size(),
                account.unanswered().size(),
                account.refused().size(),
                answered.size(),
                unanswered.stream().filter(row -> !answered.contains(row)).count(),
                stored.size(),
                books,
                lost.size(),
                Math.max(0, -books.unaccounted()),
                watch.answers(),
                watch.wrong().size(),
                secondsSince(start),
                byKind(faults));
        assertSoftly(softly -> {
            softly.assertThat(first(lost))
                    .as("answered 200, and not stored as it was sent")
                    .isEmpty();
            softly.assertThat(new HashSet<>(stored)).hasSameSizeAs(stored);
            List<Row> foreign = stored.stream()
                    .filter(row -> !answered.contains(row) && !unanswered.contains(row))
                    .toList();
            softly.assertThat(first(foreign)).as("stored, and not sent so").isEmpty();
            long received = books.received();
            softly.assertThat(books)
                    .isEqualTo(new Books(received, stored.size(), received - stored.size(), 0, 0, 0, 0));
            softly.assertThat(received)
                    .isBetween(
                            (long) account.answered().size(),
                            (long) account.answered().size()
                                    + account.unanswered().size());
            softly.assertThat(system.stats().topics())
                    .isEqualTo(stored.stream().collect(Collectors.groupingBy(Row::topic, Collectors.counting())));
            softly.assertThat(system.redis().keys(KEYS.claims() + "*")).isEmpty();
            softly.assertThat(system.redis().keys(KEYS.claimPrefix() + "*")).isEmpty();
            softly.assertThat(system.redis().exists(KEYS.queue())).isZero();
            softly.assertThat(system.redis().hget(KEYS.counters(), "settled")).isEqualTo(Long.toString(received));
            softly.assertThat(watch.answers()).isPositive();
            softly.assertThat(first(watch.wrong()))
                    .as("answers of /stats that were wrong")
                    .isEmpty();
        });
    }

    /** As many as one wants to read when they should not be there. */
    private static <T> List<T> first(Collection<T> some) {
        return some.stream().limit(20).toList();
    }

    private static List<List<String>> names(List<List<? extends ManagedProcess>> types) {
        return types.stream()
                .map(type -> type.stream().map(ManagedProcess::name).toList())
                .toList();
    }

    private static Map<String, ManagedProcess> processes(List<List<? extends ManagedProcess>> types) {
        return types.stream()
                .flatMap(List::stream)
                .collect(Collectors.toMap(ManagedProcess::name, Function.identity()));
    }

    /** So many events, of which the share of duplicates are ones that came before. */
    private static List<Event> events(long seed, int count) {
        Random random = new Random(seed);
        int duplicates = (int) Math.round(count * DUPLICATES);
        List<Boolean> isDuplicate = new ArrayList<>(Collections.nCopies(count - duplicates - 1, false));
        isDuplicate.addAll(Collections.nCopies(duplicates, true));
        Collections.shuffle(isDuplicate, random);
        isDuplicate.addFirst(false);
        List<Event> events = new ArrayList<>();
        for (boolean duplicate : isDuplicate) {
            events.add(duplicate ? events.get(random.nextInt(events.size())) : event(random, events.size()));
        }
        return events;
    }

    private static Event event(Random random, int number) {
        return new Event(
                "topic-" + random.nextInt(TOPICS),
                "event-" + number,
                Instant.ofEpochSecond(random.nextInt()).plus(random.nextInt(1_000_000), ChronoUnit.MICROS),
                "chaos",
                "{\"amount\":%d.%03d,\"text\":\"%s\"}"
                        .formatted(random.nextInt(1_000), random.nextInt(1_000), "x".repeat(random.nextInt(400))));
    }

    /** The publishers, each with every so manieth request, so that a duplicate often comes from another one. */
    private static List<ChaosPublisher> publishers(AggregatorSystem system, List<Event> events, Semaphore pace) {
        Random random = new Random(SEED);
        List<List<List<Event>>> requests = IntStream.range(0, PUBLISHERS)
                .<List<List<Event>>>mapToObj(i -> new ArrayList<>())
                .toList();
        int publisher = 0;
        for (int from = 0; from < events.size(); publisher = (publisher + 1) % PUBLISHERS) {
            int to = Math.min(events.size(), from + random.nextInt(1, MOST_EVENTS_OF_A_REQUEST + 1));
            requests.get(publisher).add(events.subList(from, to));
            from = to;
        }
        List<URI> apis = system.apis().stream().map(ServiceProcess::uri).toList();
        return requests.stream().map(own -> new ChaosPublisher(apis, own, pace)).toList();
    }

    /** An event as it can be compared, however its payload is written. */
    private record Row(String topic, String eventId, Instant timestamp, String source, JsonNode payload) {
        static Row of(Event event) {
            return new Row(
                    event.topic(),
                    event.eventId(),
                    event.timestamp(),
                    event.source(),
                    TestEvents.tree(event.payload()));
        }
    }

    private static Set<Row> rows(List<Event> events) {
        return events.stream().distinct().map(Row::of).collect(Collectors.toSet());
    }

    private static List<Row> stored(AggregatorSystem system) {
        return system.jdbc()
                .sql("SELECT topic, event_id, ts, source, payload FROM events")
                .query((row, i) -> new Row(
                        row.getString("topic"),
                        row.getString("event_id"),
                        row.getObject("ts", OffsetDateTime.class).toInstant(),
                        row.getString("source"),
                        TestEvents.tree(row.getString("payload"))))
                .list();
    }

    /** Such as {@code freeze aggregator-worker: 3}. */
    private static String byKind(List<ScheduledFault> faults) {
        return faults.stream()
                .collect(Collectors.groupingBy(
                        fault -> fault.kind() + " " + fault.target().replaceFirst("-\\d+$", ""),
                        TreeMap::new,
                        Collectors.counting()))
                .entrySet()
                .stream()
                .map(kind -> kind.getKey() + ": " + kind.getValue())
                .collect(Collectors.joining(", "));
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}
