package io.github.logaggregator.localstack;

import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;

/**
 * Starts processes again when they end without having been told to: at first at once, then ever more patiently, as
 * Docker's restart policy does.
 */
final class Supervisor {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final Duration HEALTHY = Duration.ofSeconds(10);

    private final PrintStream out;

    Supervisor(PrintStream out) {
        this.out = out;
    }

    /** Watches a process that runs, until it is stopped. */
    void watch(LocalProcess process) {
        Thread.ofVirtual().name("supervisor of " + process.name()).start(() -> {
            try {
                keepRunning(process);
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
        });
    }

    private void keepRunning(LocalProcess process) throws InterruptedException {
        Duration pause = FIRST_PAUSE;
        Instant started = Instant.now();
        while (true) {
            int status = process.onExit().join().exitValue();
            if (Duration.between(started, Instant.now()).compareTo(HEALTHY) > 0) {
                pause = FIRST_PAUSE;
            }
            long pid = process.pid();
            Thread.sleep(pause);
            started = Instant.now();
            try {
                if (!process.startAgain()) {
                    return;
                }
                out.printf(
                        "%s (pid %d) ended with status %d; started again after %.1f s as pid %d%n",
                        process.name(), pid, status, pause.toMillis() / 1000.0, process.pid());
            } catch (RuntimeException e) {
                out.printf("%s can't be started again: %s%n", process.name(), e.getMessage());
            }
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
        }
    }
}
