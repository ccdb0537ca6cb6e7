package io.github.logaggregator.api;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/**
 * A request that is answered with an error and leaves nothing behind: a problem detail (RFC 9457), and the reason by
 * which refusals are counted.
 */
final class Refusal extends ErrorResponseException {
    private static final Logger LOG = LoggerFactory.getLogger(Refusal.class);
    private static final Duration TELL_EVERY = Duration.ofSeconds(10);
    private static final AtomicLong LAST_TOLD = new AtomicLong(System.nanoTime() - TELL_EVERY.toNanos());

    private final String reason;

    private Refusal(HttpStatus status, String reason, String detail, @Nullable Throwable cause) {
        super(status, ProblemDetail.forStatusAndDetail(status, detail), cause);
        this.reason = reason;
    }

    /** The value of the tag {@code reason} of {@code aggregator.events.rejected}. */
    String reason() {
        return reason;
    }

    static Refusal malformed(String detail) {
        return new Refusal(HttpStatus.BAD_REQUEST, "malformed", detail, null);
    }

    /** @param errors what is wrong, each with at least {@code field} and {@code message} */
    static Refusal invalid(String detail, Object errors) {
        Refusal refusal = new Refusal(HttpStatus.UNPROCESSABLE_CONTENT, "invalid", detail, null);
        refusal.getBody().setProperty("errors", errors);
        return refusal;
    }

    static Refusal tooLarge(String detail) {
        return new Refusal(HttpStatus.CONTENT_TOO_LARGE, "too_large", detail, null);
    }

    static Refusal unsupported(String detail) {
        return new Refusal(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported", detail, null);
    }

    static Refusal queueFull(String detail, Duration retryAfter) {
        return new Refusal(HttpStatus.TOO_MANY_REQUESTS, "queue_full", detail, null).retryAfter(retryAfter);
    }

    static Refusal unavailable(String detail, Duration retryAfter, @Nullable Throwable cause) {
        long now = System.nanoTime();
        long last = LAST_TOLD.get();
        // Under load an outage makes thousands of these; one in a while tells why.
        if (cause != null && now - last > TELL_EVERY.toNanos() && LAST_TOLD.compareAndSet(last, now)) {
            LOG.warn(
                    "{} {}",
                    detail,
                    NestedExceptionUtils.getMostSpecificCause(cause).toString());
        }
        return new Refusal(HttpStatus.SERVICE_UNAVAILABLE, "unavailable", detail, cause).retryAfter(retryAfter);
    }

    private Refusal retryAfter(Duration duration) {
        getHeaders().set(HttpHeaders.RETRY_AFTER, Long.toString(duration.toSeconds()));
        return this;
    }
}
