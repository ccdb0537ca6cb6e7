package io.github.logaggregator.worker;

import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Lets one loop at a time empty a short queue: what comes while it settles that goes together into the next claim, as
 * commits of databases do (group commit), instead of into as many small claims as there are loops. A claim costs the same
 * whether it holds one event or a hundred. Only a loop that left something on the queue gives its turn away before it has
 * settled.
 *
 * <p>One whose settlement takes long holds nobody up.
 */
final class Turn {
    private static final long LONG_MILLIS = 100;

    private final Semaphore free = new Semaphore(1);
    private volatile boolean isSettling;
    private volatile long settlingSince;

    /** Waits for the turn; false if whoever has it takes long to settle, so that the caller may go on without it. */
    boolean await() throws InterruptedException {
        while (!free.tryAcquire(LONG_MILLIS, TimeUnit.MILLISECONDS)) {
            if (isSettling && System.nanoTime() - settlingSince > TimeUnit.MILLISECONDS.toNanos(LONG_MILLIS)) {
                return false;
            }
        }
        return true;
    }

    /** Tells that who has the turn keeps it for its settlement. */
    void keep() {
        settlingSince = System.nanoTime();
        isSettling = true;
    }

    /** Gives the turn to the next one. */
    void end() {
        isSettling = false;
        free.release();
    }
}
