package io.github.logaggregator.api;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.springframework.stereotype.Component;

/**
 * Counts every request that is answered with an error, once, by reason, whoever refused it: a controller, Spring, or Tomcat
 * before it knew what was wanted:
 *
 * <ul>
 *   <li>{@code aggregator.events.rejected{reason}}: counter; publish requests: a batch counts once, since nobody knows how
 *       many events there are in one that can't be read
 *   <li>{@code aggregator.requests.rejected{reason}}: counter; all other requests
 * </ul>
 */
@Component
class RefusedRequests extends ValveBase {
    private static final String CROSS_ORIGIN = RefusedRequests.class.getName() + ".crossOrigin";

    private final Map<Reason, Counter> publishes;
    private final Map<Reason, Counter> others;

    RefusedRequests(MeterRegistry registry) {
        super(true);
        this.publishes = counters(registry, "aggregator.events.rejected", "Publish requests refused");
        this.others =
                counters(registry, "aggregator.requests.rejected", "Requests refused, other than publish requests");
    }

    /** Notes that a request is forbidden for where it comes from, not for the key that it has. */
    static void isCrossOrigin(HttpServletRequest request) {
        request.setAttribute(CROSS_ORIGIN, true);
    }

    /** Why a request is refused: what its status says, nearly. There are no others, whatever is sent. */
    private enum Reason {
        MALFORMED,
        UNAUTHORIZED,
        FORBIDDEN,
        CROSS_ORIGIN,
        NOT_FOUND,
        METHOD_NOT_ALLOWED,
        NOT_ACCEPTABLE,
        TIMED_OUT,
        TOO_LARGE,
        UNSUPPORTED,
        INVALID,
        QUEUE_FULL,
        UNAVAILABLE,
        FAILED;

        static Reason of(int status) {
            return switch (status) {
                case 401 -> UNAUTHORIZED;
                case 403 -> FORBIDDEN;
                case 404 -> NOT_FOUND;
                case 405 -> METHOD_NOT_ALLOWED;
                case 406 -> NOT_ACCEPTABLE;
                case 408 -> TIMED_OUT;
                case 413 -> TOO_LARGE;
                case 415, 501, 505 -> UNSUPPORTED;
                case 422 -> INVALID;
                case 429 -> QUEUE_FULL;
                case 503 -> UNAVAILABLE;
                default -> status < 500 ? MALFORMED : FAILED;
            };
        }

        String tag() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** All at once, so that the first refusal is an increase of what was there. */
    private static Map<Reason, Counter> counters(MeterRegistry registry, String name, String description) {
        Map<Reason, Counter> counters = new EnumMap<>(Reason.class);
        Arrays.stream(Reason.values())
                .forEach(reason -> counters.put(
                        reason,
                        Counter.builder(name)
                                .description(description)
                                .tag("reason", reason.tag())
                                .register(registry)));
        return counters;
    }

    @Override
    public void invoke(Request request, Response response) throws IOException, ServletException {
        getNext().invoke(request, response);
        // There is none where the request line could not be read.
        String path = String.valueOf(request.getRequestURI());
        // A request that waits comes through here again with its answer. A health check that says no refuses nothing.
        if (response.getStatus() >= 400 && !request.isAsync() && !isHealthCheck(path)) {
            Map<Reason, Counter> counters = path.equals("/publish") ? publishes : others;
            Reason reason =
                    request.getAttribute(CROSS_ORIGIN) == null ? Reason.of(response.getStatus()) : Reason.CROSS_ORIGIN;
            Objects.requireNonNull(counters.get(reason)).increment();
        }
    }

    static boolean isHealthCheck(String path) {
        return path.equals("/livez") || path.equals("/readyz") || path.startsWith("/actuator/health");
    }
}
