package io.github.logaggregator.api;

import java.time.Duration;
import java.util.List;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.web.ErrorResponseException;

/**
 * A request that is answered with an error and leaves nothing behind: a problem detail (RFC 9457). {@link RefusedRequests}
 * counts it.
 */
final class Refusal extends ErrorResponseException {
    private Refusal(HttpStatus status, String detail) {
        super(status, ProblemDetail.forStatusAndDetail(status, detail), null);
    }

    static Refusal malformed(String detail) {
        return new Refusal(HttpStatus.BAD_REQUEST, detail);
    }

    /** @param errors what is wrong, each with at least {@code field} and {@code message} */
    static Refusal invalid(String detail, Object errors) {
        Refusal refusal = new Refusal(HttpStatus.UNPROCESSABLE_CONTENT, detail);
        refusal.getBody().setProperty("errors", errors);
        return refusal;
    }

    /** @param challenge what to send, as RFC 6750 asks for in section 3 */
    static Refusal unauthorized(String detail, String challenge) {
        Refusal refusal = new Refusal(HttpStatus.UNAUTHORIZED, detail);
        refusal.getHeaders().set(HttpHeaders.WWW_AUTHENTICATE, challenge);
        return refusal;
    }

    static Refusal forbidden(String detail) {
        return new Refusal(HttpStatus.FORBIDDEN, detail);
    }

    /** @param errors what is forbidden, each with at least {@code field} and {@code message} */
    static Refusal forbidden(String detail, Object errors) {
        Refusal refusal = forbidden(detail);
        refusal.getBody().setProperty("errors", errors);
        return refusal;
    }

    static Refusal notFound(String detail) {
        return new Refusal(HttpStatus.NOT_FOUND, detail);
    }

    static Refusal tooLarge(String detail) {
        return new Refusal(HttpStatus.CONTENT_TOO_LARGE, detail);
    }

    /** @param supported the content types to send instead, as RFC 9110 asks for in section 15.5.16 */
    static Refusal unsupportedType(String detail, List<MediaType> supported) {
        Refusal refusal = new Refusal(HttpStatus.UNSUPPORTED_MEDIA_TYPE, detail);
        refusal.getHeaders().setAccept(supported);
        return refusal;
    }

    /** @param supported the content encoding to send instead, as RFC 9110 asks for in section 15.5.16 */
    static Refusal unsupportedEncoding(String detail, String supported) {
        Refusal refusal = new Refusal(HttpStatus.UNSUPPORTED_MEDIA_TYPE, detail);
        refusal.getHeaders().set(HttpHeaders.ACCEPT_ENCODING, supported);
        return refusal;
    }

    static Refusal queueFull(String detail, Duration retryAfter) {
        return new Refusal(HttpStatus.TOO_MANY_REQUESTS, detail).retryAfter(retryAfter);
    }

    static Refusal unavailable(String detail, Duration retryAfter) {
        return new Refusal(HttpStatus.SERVICE_UNAVAILABLE, detail).retryAfter(retryAfter);
    }

    private Refusal retryAfter(Duration duration) {
        getHeaders().set(HttpHeaders.RETRY_AFTER, Long.toString(duration.toSeconds()));
        return this;
    }
}
