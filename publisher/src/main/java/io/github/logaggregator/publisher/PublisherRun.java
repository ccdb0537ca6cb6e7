package io.github.logaggregator.publisher;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.ExitCodeGenerator;

/**
 * One run: waits for the API, sends the events, waits until they are settled, and reports. It ends by itself, within
 * the bounds of the options, or soon after the process is asked to stop.
 */
final class PublisherRun implements ApplicationRunner, ExitCodeGenerator, DisposableBean {
    /** Exit code: the books don't balance, events were refused, or the API could not be reached in time. */
    static final int FAILED = 1;

    /** Exit code: the options make no sense. */
    static final int BAD_OPTIONS = 2;

    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration STOP = Duration.ofSeconds(3);
    private static final Duration SMOOTHNESS = Duration.ofMillis(10);

    private final PublisherProperties properties;
    private final AggregatorClient client;
    private final Tally tally;
    private final PrintStream out;
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile @Nullable Thread runner;
    private volatile int exitCode;

    PublisherRun(PublisherProperties properties, AggregatorClient client, Tally tally, PrintStream out) {
        this.properties = properties;
        this.client = client;
        this.tally = tally;
        this.out = out;
    }

    @Override
    public void run(ApplicationArguments arguments) throws IOException {
        runner = Thread.currentThread();
        try {
            exitCode = publish();
        } catch (RunFailedException e) {
            exitCode = e.exitCode();
            out.println("FAILED: " + e.getMessage());
            if (tally.accepted() > 0) {
                out.println("  " + howFar());
            }
        } catch (InterruptedException e) {
            // Only destroy() interrupts, and it tells the user.
            exitCode = FAILED;
        } finally {
            Thread.interrupted();
            ended.countDown();
        }
    }

    private int publish() throws IOException, InterruptedException {
        String input = properties.input();
        if (input == null) {
            long distinct =
                    properties.count() - DuplicateMixer.resendsAmong(properties.count(), properties.duplicateRatio());
            return publish(
                    DuplicateMixer.ofCount(
                            new EventGenerator(properties, InstantSource.system(), distinct),
                            properties.count(),
                            properties.duplicateRatio(),
                            random()),
                    properties.count());
        }
        try (EventFile events = EventFile.open(input)) {
            return publish(DuplicateMixer.ofAll(events, properties.duplicateRatio(), random()), -1);
        }
    }

    /** The mixer's random numbers: with a seed always the same, but others than the generator's. */
    private SplittableRandom random() {
        return properties.seed() == null ? new SplittableRandom() : new SplittableRandom(~properties.seed());
    }

    private int publish(DuplicateMixer events, long total) throws InterruptedException {
        awaitReady();
        Stats.Books before = client.stats().books();
        long start = System.nanoTime();
        sendAll(events, total);
        Duration time = Duration.ofNanos(System.nanoTime() - start);
        Stats.Books after = awaitDrained(before);
        boolean fresh = properties.input() == null && properties.seed() == null;
        Report report =
                new Report(new Report.Run(events.distinct(), events.resent(), fresh, time), tally, before, after);
        out.println(report);
        return report.fault().isPresent() ? FAILED : 0;
    }

    private void awaitReady() throws InterruptedException {
        long deadline = System.nanoTime() + properties.waitForApi().toNanos();
        boolean told = false;
        for (Optional<String> fault = client.whyNotReady(); fault.isPresent(); fault = client.whyNotReady()) {
            String limit = PublisherProperties.text(properties.waitForApi());
            if (System.nanoTime() >= deadline) {
                throw new RunFailedException("%s was not ready within publisher.wait-for-api=%s: %s"
                        .formatted(properties.target(), limit, fault.get()));
            }
            if (!told) {
                out.println("Waiting up to " + limit + " for " + properties.target() + " to be ready: " + fault.get());
                told = true;
            }
            Thread.sleep(POLL);
        }
    }

    /** Keeps up to {@code publisher.concurrency} requests under way; the first that fails for good ends the sending. */
    private void sendAll(DuplicateMixer events, long total) throws InterruptedException {
        out.println("Sending to " + properties.target());
        RateLimiter pace = properties.rate() == 0 ? null : pace();
        Semaphore slots = new Semaphore(properties.concurrency());
        AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
        Thread sender = Thread.currentThread();
        try (Progress progress = new Progress(tally, total, out);
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            progress.start();
            try {
                while (events.hasNext()) {
                    List<Event> batch = nextBatch(events);
                    if (pace != null && !pace.acquirePermission(batch.size())) {
                        throw new InterruptedException();
                    }
                    slots.acquire();
                    threads.execute(() -> {
                        try {
                            client.publish(batch);
                        } catch (RuntimeException e) {
                            if (failure.compareAndSet(null, e)) {
                                sender.interrupt();
                            }
                        } catch (InterruptedException e) {
                            // The sender has ended this one; it knows why.
                        } finally {
                            slots.release();
                        }
                    });
                }
            } catch (InterruptedException e) {
                // Has the executor's close() end the requests under way, in place of waiting for them.
                Thread.currentThread().interrupt();
            }
        }
        boolean interrupted = Thread.interrupted();
        RuntimeException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
        if (interrupted) {
            throw new InterruptedException();
        }
    }

    private List<Event> nextBatch(Iterator<Event> events) {
        List<Event> batch = new ArrayList<>();
        while (batch.size() < properties.batchSize() && events.hasNext()) {
            batch.add(events.next());
        }
        return batch;
    }

    /** A limiter that lets events through evenly: one at a time, or what is due in a moment too short to matter. */
    private RateLimiter pace() {
        double perMoment = properties.rate() * SMOOTHNESS.toNanos() / 1e9;
        int permits = (int) Math.max(1, Math.ceil(perMoment));
        long nanos = TimeUnit.SECONDS.toNanos(permits) / properties.rate();
        return RateLimiter.of(
                "pace",
                RateLimiterConfig.custom()
                        .limitForPeriod(permits)
                        .limitRefreshPeriod(Duration.ofNanos(nanos))
                        .timeoutDuration(Duration.ofSeconds(2 + properties.batchSize() / properties.rate()))
                        .build());
    }

    /** The books as soon as all that was accepted is settled, or as they are when the time for that is over. */
    private Stats.Books awaitDrained(Stats.Books before) throws InterruptedException {
        long deadline = System.nanoTime() + properties.waitForDrain().toNanos();
        while (true) {
            Stats.Books books = client.stats().books();
            boolean drained =
                    books.queued() + books.inFlight() == 0 && books.received() - before.received() >= tally.accepted();
            if (drained || System.nanoTime() >= deadline) {
                return books;
            }
            Thread.sleep(POLL);
        }
    }

    private String howFar() {
        return String.format(
                Locale.ROOT, "%,d events had been accepted, in %,d requests.", tally.accepted(), tally.requests());
    }

    @Override
    public int getExitCode() {
        return exitCode;
    }

    /** Stops a run that has not ended by itself, and says how far it got. */
    @Override
    public void destroy() throws InterruptedException {
        Thread running = runner;
        if (running == null || ended.getCount() == 0) {
            return;
        }
        running.interrupt();
        // A run that reads from a silent standard input can't be interrupted; the process ends all the same.
        if (!ended.await(STOP.toMillis(), TimeUnit.MILLISECONDS)) {
            out.println();
        }
        out.println("Stopped before the end: " + howFar());
    }
}
