package io.github.logaggregator.publisher;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventFault;
import io.github.logaggregator.model.EventJson;
import io.github.logaggregator.model.PublishResponse;
import io.github.logaggregator.model.Stats;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.propagation.Propagator;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;

/**
 * Speaks to the API: what it could not be given is sent again, with growing waits, until it is taken or the time for
 * that is over; what it refuses is never sent again.
 */
final class AggregatorClient implements AutoCloseable {
    private static final IntervalFunction BACKOFF =
            IntervalFunction.ofExponentialBackoff(Duration.ofMillis(100), 2, Duration.ofSeconds(10));
    private static final int OK = 200;
    private static final int REQUEST_TIMEOUT = 408;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int SERVER_ERROR = 500;
    private static final int MAX_FAULTS_SHOWN = 5;
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final ObjectReader NOTHING_MISSING =
            JSON.reader().with(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES);

    private final PublisherProperties properties;
    private final Tally tally;
    private final InstantSource clock;
    private final Tracing tracing;
    private final HttpClient http;

    /**
     * A client of the API at {@code publisher.target}.
     *
     * @param ssl says whose certificates are trusted, where the API is reached by https
     */
    AggregatorClient(
            PublisherProperties properties, Tally tally, InstantSource clock, Tracing tracing, SSLContext ssl) {
        this.properties = properties;
        this.tally = tally;
        this.clock = clock;
        this.tracing = tracing;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(properties.connectTimeout())
                .sslContext(ssl)
                .build();
    }

    /** What makes the span of a request, and what tells it to the API. */
    record Tracing(Tracer tracer, Propagator propagator) {}

    /** Asks once whether the API takes events, and gives the reason if it does not. */
    Optional<String> whyNotReady() throws InterruptedException {
        try {
            HttpResponse<byte[]> response = send(properties.request("/readyz").build());
            return response.statusCode() == OK ? Optional.empty() : Optional.of(fault(response));
        } catch (IOException e) {
            return Optional.of(fault(e));
        }
    }

    /**
     * Sends the events in one request and returns when the API has taken them all.
     *
     * @param events at least one
     * @throws RunFailedException if they were refused, or not taken within {@code publisher.retry-for}
     */
    void publish(List<Event> events) throws InterruptedException {
        byte[] body = events.size() == 1 ? EventJson.write(events.getFirst()) : EventJson.write(events);
        HttpRequest.Builder builder = properties
                .request("/publish")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        long start = System.nanoTime();
        PublishResponse answer = read(exchangeInSpan(builder, events), JSON.reader(), PublishResponse.class);
        if (answer.accepted() != events.size()) {
            throw new RunFailedException(properties.resource("/publish") + " took " + answer.accepted()
                    + " of a request's " + events.size() + " events");
        }
        tally.accepted(events.size(), Duration.ofNanos(System.nanoTime() - start));
    }

    /**
     * Asks for the system's books.
     *
     * @throws RunFailedException if they could not be had within {@code publisher.retry-for}
     */
    Stats stats() throws InterruptedException {
        HttpRequest request = properties.request("/stats").build();
        return read(exchange(request, List.of()), NOTHING_MISSING, Stats.class);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }

    /** A span lasts for all attempts of a request, which the API can tell to be one by its parent. */
    private HttpResponse<byte[]> exchangeInSpan(HttpRequest.Builder builder, List<Event> events)
            throws InterruptedException {
        Span span = tracing.tracer()
                .spanBuilder()
                .name("POST /publish")
                .kind(Span.Kind.CLIENT)
                .tag("http.request.method", "POST")
                .tag("url.full", properties.resource("/publish").toString())
                .tag("messaging.batch.message_count", events.size())
                .start();
        try {
            tracing.propagator().inject(span.context(), builder, (request, name, value) -> {
                if (request != null) {
                    request.setHeader(name, value);
                }
            });
            HttpResponse<byte[]> response = exchange(builder.build(), events);
            span.tag("http.response.status_code", response.statusCode());
            return response;
        } catch (RuntimeException e) {
            span.error(e);
            throw e;
        } finally {
            span.end();
        }
    }

    /** Makes attempts until there is an answer that another attempt would not better; events are what it carries. */
    private HttpResponse<byte[]> exchange(HttpRequest request, List<Event> events) throws InterruptedException {
        long start = System.nanoTime();
        RetryConfig config = RetryConfig.<HttpResponse<byte[]>>custom()
                // Time is the bound, see below.
                .maxAttempts(Integer.MAX_VALUE)
                .retryOnException(IOException.class::isInstance)
                .retryOnResult(AggregatorClient::isForNow)
                .intervalBiFunction((attempts, outcome) -> {
                    String fault = outcome.fold(AggregatorClient::fault, AggregatorClient::fault);
                    Duration wait = waitAfter(attempts, outcome);
                    Duration spent = Duration.ofNanos(System.nanoTime() - start);
                    if (spent.plus(wait).compareTo(properties.retryFor()) > 0) {
                        throw new RunFailedException("Gave up on %s %s after %d attempts (publisher.retry-for=%s): %s"
                                .formatted(
                                        request.method(),
                                        request.uri(),
                                        attempts,
                                        PublisherProperties.text(properties.retryFor()),
                                        fault));
                    }
                    if (!events.isEmpty()) {
                        tally.retried(maybeTaken(outcome) ? events.size() : 0, fault);
                    }
                    return wait.toMillis();
                })
                .build();
        HttpResponse<byte[]> response;
        try {
            response = Retry.of("aggregator", config).executeCallable(() -> send(request));
        } catch (InterruptedException | RunFailedException e) {
            throw e;
        } catch (IOException | CancellationException e) {
            // The library's way to say that the wait between two attempts was interrupted.
            Thread.interrupted();
            throw new InterruptedException();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
        if (response.statusCode() != OK) {
            throw new RunFailedException(
                    "%s %s was refused: %s".formatted(request.method(), request.uri(), refusal(response, events)));
        }
        return response;
    }

    /** Makes one attempt. The client's own time-out ends with the answer's head; this one bounds the body, too. */
    private HttpResponse<byte[]> send(HttpRequest request) throws IOException, InterruptedException {
        CompletableFuture<HttpResponse<byte[]>> answer =
                http.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
        try {
            return answer.get(properties.requestTimeout().toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new HttpTimeoutException("no answer within publisher.request-timeout="
                    + PublisherProperties.text(properties.requestTimeout()));
        } catch (ExecutionException e) {
            throw e.getCause() instanceof IOException cause ? cause : new IOException(e.getCause());
        } finally {
            // Ends an attempt that nobody waits for any more; does nothing to one that has ended.
            answer.cancel(true);
        }
    }

    private static boolean isForNow(HttpResponse<byte[]> response) {
        return saysThatNothingWasTaken(response) || response.statusCode() >= SERVER_ERROR;
    }

    private static boolean saysThatNothingWasTaken(HttpResponse<byte[]> response) {
        return response.statusCode() == REQUEST_TIMEOUT || response.statusCode() == TOO_MANY_REQUESTS;
    }

    /** Without a connection nothing was taken; most other faults may come after the events were queued. */
    private static boolean maybeTaken(Either<Throwable, HttpResponse<byte[]>> outcome) {
        return outcome.isLeft()
                ? !(outcome.getLeft() instanceof ConnectException
                        || outcome.getLeft() instanceof HttpConnectTimeoutException)
                : !saysThatNothingWasTaken(outcome.get());
    }

    /** Full jitter keeps producers that failed together from coming back together, also after a Retry-After. */
    private Duration waitAfter(int attempts, Either<Throwable, HttpResponse<byte[]>> outcome) {
        Duration jitter = Duration.ofMillis(ThreadLocalRandom.current().nextLong(BACKOFF.apply(attempts) + 1));
        return outcome.isLeft() ? jitter : jitter.plus(retryAfter(outcome.get()));
    }

    /** The wait that the API asks for, as seconds or as a date (RFC 9110, section 10.2.3); zero when it asks for none. */
    private Duration retryAfter(HttpResponse<byte[]> response) {
        String value = response.headers().firstValue("Retry-After").orElse("0").strip();
        try {
            if (value.chars().allMatch(Character::isDigit)) {
                return Duration.ofSeconds(Long.parseLong(value));
            }
            Duration wait =
                    Duration.between(clock.instant(), DateTimeFormatter.RFC_1123_DATE_TIME.parse(value, Instant::from));
            return wait.isNegative() ? Duration.ZERO : wait;
        } catch (NumberFormatException | DateTimeException e) {
            return Duration.ZERO;
        }
    }

    private static <T> T read(HttpResponse<byte[]> response, ObjectReader reader, Class<T> type) {
        try {
            T answer = reader.forType(type).readValue(response.body());
            if (answer != null) {
                return answer;
            }
        } catch (JacksonException e) {
            // Said below, in words that fit the user's view.
        }
        throw new RunFailedException(response.uri() + " does not answer as the API does: is it the right target?");
    }

    private static String fault(Throwable failure) {
        return switch (failure) {
            case HttpConnectTimeoutException e -> "no connection in time";
            case ConnectException e -> "no connection";
            default -> Optional.ofNullable(failure.getMessage()).orElse("the connection broke");
        };
    }

    private static String fault(HttpResponse<byte[]> response) {
        String text = problem(response).text();
        return "HTTP " + response.statusCode() + (text.isEmpty() ? "" : ": " + text);
    }

    /** The whole of a refusal: the problem's text in the first line, then the faults, a line each. */
    private static String refusal(HttpResponse<byte[]> response, List<Event> events) {
        StringBuilder text = new StringBuilder(fault(response));
        List<EventFault> faults = problem(response).faults();
        for (EventFault fault : faults.subList(0, Math.min(faults.size(), MAX_FAULTS_SHOWN))) {
            text.append("\n  ");
            if (fault.index() >= 0 && fault.index() < events.size()) {
                Event event = events.get(fault.index());
                text.append("event ")
                        .append(event.eventId())
                        .append(" of ")
                        .append(event.topic())
                        .append(": ");
            }
            text.append((fault.field() + " " + fault.message()).strip());
        }
        if (faults.size() > MAX_FAULTS_SHOWN) {
            text.append("\n  and ").append(faults.size() - MAX_FAULTS_SHOWN).append(" more");
        }
        return text.toString();
    }

    private static Problem problem(HttpResponse<byte[]> response) {
        try {
            Problem problem = JSON.readValue(response.body(), Problem.class);
            return problem == null ? Problem.NONE : problem;
        } catch (JacksonException e) {
            return Problem.NONE;
        }
    }

    /** What matters of a problem detail (RFC 9457); an intermediary may leave out any of it. */
    private record Problem(
            @JsonProperty("title") @Nullable String title,
            @JsonProperty("detail") @Nullable String detail,
            @JsonProperty("errors") @Nullable List<EventFault> errors) {
        static final Problem NONE = new Problem(null, null, null);

        String text() {
            return detail != null ? detail : title != null ? title : "";
        }

        List<EventFault> faults() {
            return errors == null ? List.of() : errors;
        }
    }
}
