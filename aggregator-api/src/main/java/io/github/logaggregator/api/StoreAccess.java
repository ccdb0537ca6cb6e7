package io.github.logaggregator.api;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.transaction.TransactionException;
import org.springframework.transaction.TransactionSystemException;

/**
 * The way to a store, Redis or PostgreSQL: what the store does not answer becomes a 503. That it is away is logged once,
 * and once that it is back.
 */
final class StoreAccess {
    private static final Logger LOG = LoggerFactory.getLogger(StoreAccess.class);

    /** A store is back when it answers and nothing has failed for so long: some fail later than others. */
    private static final long QUIET_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final String store;
    private final String refusal;
    private final Duration retryAfter;
    private final Semaphore firstQuestion = new Semaphore(1);
    private final AtomicBoolean away = new AtomicBoolean();
    private volatile boolean everAnswered;
    private volatile long lastFailure;

    /**
     * @param store its name in the log
     * @param refusal what the 503 says
     * @param retryAfter what it tells the producer to wait
     */
    StoreAccess(String store, String refusal, Duration retryAfter) {
        this.store = store;
        this.refusal = refusal;
        this.retryAfter = retryAfter;
    }

    /**
     * Gives the store's answer.
     *
     * @param question gives an answer, never null
     * @throws Refusal if the store did not answer (503), or the question's own
     */
    <T> T ask(Supplier<@Nullable T> question) {
        if (everAnswered) {
            return answer(question);
        }
        // A client makes its first connection for one caller after the other, each as long as it takes. Behind a store
        // that hangs they would queue for ever.
        if (!mayBeFirst()) {
            throw Refusal.unavailable(refusal, retryAfter);
        }
        try {
            return answer(question);
        } finally {
            firstQuestion.release();
        }
    }

    private boolean mayBeFirst() {
        try {
            return firstQuestion.tryAcquire(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private <T> T answer(Supplier<@Nullable T> question) {
        try {
            T answer = Objects.requireNonNull(question.get());
            answered();
            return answer;
        } catch (Refusal e) {
            answered();
            throw e;
        } catch (DataAccessException | TransactionException e) {
            lastFailure = System.nanoTime();
            if (away.compareAndSet(false, true)) {
                LOG.warn("{} does not answer as it should: {}", store, cause(e).toString());
            }
            throw Refusal.unavailable(refusal, retryAfter);
        }
    }

    private static Throwable cause(RuntimeException e) {
        Throwable first = e instanceof TransactionSystemException rollback ? rollback.getOriginalException() : null;
        return NestedExceptionUtils.getMostSpecificCause(first == null ? e : first);
    }

    private void answered() {
        everAnswered = true;
        if (away.get() && System.nanoTime() - lastFailure > QUIET_NANOS && away.compareAndSet(true, false)) {
            LOG.info("{} answers again", store);
        }
    }
}
