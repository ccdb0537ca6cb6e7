package io.github.logaggregator.worker;

import java.util.function.BooleanSupplier;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.util.backoff.BackOffExecution;
import org.springframework.util.backoff.ExponentialBackOff;

/**
 * Repeats an action until it works, with growing pauses, or until there is no use in it any more. An outage lasts until the
 * action has worked, however often it was given up in between.
 *
 * <p>For one thread. Spring's RetryTemplate keeps the exception of each attempt until one works, which an outage of hours
 * makes too many.
 */
final class PatientRetry {
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 3_000;

    private final Outage outage;
    private final BooleanSupplier givesUp;

    /** The pauses of the outage; null while the action works. */
    private @Nullable BackOffExecution pauses;

    /**
     * @param outage told when the action fails, and when it works again
     * @param givesUp whether an attempt that fails now is the last one
     */
    PatientRetry(Outage outage, BooleanSupplier givesUp) {
        this.outage = outage;
        this.givesUp = givesUp;
    }

    /**
     * Gives what the action gives once it works.
     *
     * @param isEnough whether to give up after so many failed attempts
     * @throws RuntimeException the action's last one, if there was to be no further attempt
     * @throws InterruptedException if the thread was interrupted between two attempts
     */
    <T extends @Nullable Object> T get(Supplier<T> action, IntPredicate isEnough) throws InterruptedException {
        for (int failed = 1; ; failed++) {
            try {
                T result = action.get();
                if (pauses != null) {
                    outage.ends();
                    pauses = null;
                }
                return result;
            } catch (RuntimeException e) {
                if (givesUp.getAsBoolean()) {
                    throw e;
                }
                if (pauses == null) {
                    outage.begins(e);
                    pauses = pauses();
                }
                if (isEnough.test(failed)) {
                    throw e;
                }
            }
            Thread.sleep(pauses.nextBackOff());
        }
    }

    /** Like the other, for an action that may fail as often as it likes. */
    <T extends @Nullable Object> T get(Supplier<T> action) throws InterruptedException {
        return get(action, failed -> false);
    }

    /** Like {@link #get(Supplier)}, for an action that gives nothing. */
    void run(Runnable action) throws InterruptedException {
        get(() -> {
            action.run();
            return true;
        });
    }

    private static BackOffExecution pauses() {
        ExponentialBackOff backOff = new ExponentialBackOff(FIRST_PAUSE_MILLIS, 2);
        backOff.setMaxInterval(LONGEST_PAUSE_MILLIS);
        backOff.setJitter(FIRST_PAUSE_MILLIS);
        return backOff.start();
    }
}
