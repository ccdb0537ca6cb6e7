package io.github.logaggregator.api;

import java.time.Duration;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/**
 * A request that is answered with an error and leaves nothing behind: a problem detail (RFC 9457), and the reason by
 * which refusals are counted.
 */
final class Refusal extends ErrorResponseException {
    private final String reason;

    private Refusal(HttpStatus status, String reason, String detail) {
        super(status, ProblemDetail.forStatusAndDetail(status, detail), null);
        this.reason = reason;
    }

    /** The value of the tag {@code reason} of {@code aggregator.events.rejected}. */
    String reason() {
        return reason;
    }

    static Refusal malformed(String detail) {
        return new Refusal(HttpStatus.BAD_REQUEST, "malformed", detail);
    }

    /** @param errors what is wrong, each with at least {@code field} and {@code message} */
    static Refusal invalid(String detail, Object errors) {
        Refusal refusal = new Refusal(HttpStatus.UNPROCESSABLE_CONTENT, "invalid", detail);
        refusal.getBody().setProperty("errors", errors);
        return refusal;
    }

    static Refusal crossOrigin(String detail) {
        return new Refusal(HttpStatus.FORBIDDEN, "cross_origin", detail);
    }

    static Refusal notFound(String detail) {
        return new Refusal(HttpStatus.NOT_FOUND, "not_found", detail);
    }

    static Refusal tooLarge(String detail) {
        return new Refusal(HttpStatus.CONTENT_TOO_LARGE, "too_large", detail);
    }

    /** @param supported the content types to send instead, as RFC 9110 asks for in section 15.5.16 */
    static Refusal unsupportedType(String detail, List<MediaType> supported) {
        Refusal refusal = new Refusal(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported", detail);
        refusal.getHeaders().setAccept(supported);
        return refusal;
    }

    /** @param supported the content encoding to send instead, as RFC 9110 asks for in section 15.5.16 */
    static Refusal unsupportedEncoding(String detail, String supported) {
        Refusal refusal = new Refusal(HttpStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported", detail);
        refusal.getHeaders().set(HttpHeaders.ACCEPT_ENCODING, supported);
        return refusal;
    }

    static Refusal queueFull(String detail, Duration retryAfter) {
        return new Refusal(HttpStatus.TOO_MANY_REQUESTS, "queue_full", detail).retryAfter(retryAfter);
    }

    static Refusal unavailable(String detail, Duration retryAfter) {
        return new Refusal(HttpStatus.SERVICE_UNAVAILABLE, "unavailable", detail).retryAfter(retryAfter);
    }

    private Refusal retryAfter(Duration duration) {
        getHeaders().set(HttpHeaders.RETRY_AFTER, Long.toString(duration.toSeconds()));
        return this;
    }
}
