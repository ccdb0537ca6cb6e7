package io.github.logaggregator.worker;

import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.retry.RetryListener;
import org.springframework.core.retry.RetryPolicy;
import org.springframework.core.retry.RetryState;
import org.springframework.core.retry.RetryTemplate;
import org.springframework.core.retry.Retryable;

/**
 * Repeats an action until it works or its thread is interrupted, with growing pauses; an outage is logged once, and its
 * end.
 */
final class PatientRetry {
    private static final Logger LOG = LoggerFactory.getLogger(PatientRetry.class);

    private static final RetryPolicy POLICY = RetryPolicy.builder()
            .maxRetries(Long.MAX_VALUE)
            .delay(Duration.ofMillis(100))
            .jitter(Duration.ofMillis(100))
            .multiplier(2)
            .maxDelay(Duration.ofSeconds(3))
            .build();

    private final RetryTemplate template = new RetryTemplate(POLICY);

    /** @param what the action, as the beginning of a log line */
    PatientRetry(String what) {
        template.setRetryListener(new OutageLog(what));
    }

    /**
     * Gives what the action gives once it works.
     *
     * @throws RuntimeException the action's last one, if the thread was interrupted
     */
    <T extends @Nullable Object> T get(Supplier<T> action) {
        return template.invoke(action);
    }

    /** Like {@link #get}, for an action that gives nothing. */
    void run(Runnable action) {
        template.invoke(action);
    }

    private record OutageLog(String what) implements RetryListener {
        @Override
        public void beforeRetry(RetryPolicy policy, Retryable<?> action, RetryState state) {
            if (state.getRetryCount() == 1) {
                LOG.warn(
                        "{} fails; trying again until it works: {}",
                        what,
                        state.getLastException().toString());
            }
        }

        @Override
        public void onRetrySuccess(RetryPolicy policy, Retryable<?> action, @Nullable Object result) {
            LOG.info("{} works again", what);
        }
    }
}
