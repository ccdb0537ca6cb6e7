package io.github.logaggregator.publisher;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import io.github.logaggregator.model.PublishRequest;
import io.github.logaggregator.model.PublishResponse;
import io.github.logaggregator.model.SentEvent;
import io.github.logaggregator.model.Stats;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** An HTTP server that keeps the API's contract in memory, except where a test has it fail. */
final class ScriptedAggregator implements AutoCloseable {
    /** One answer to a request, given in place of the usual one. */
    @FunctionalInterface
    interface Answer {
        void give(HttpExchange exchange) throws IOException;
    }

    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final HttpServer server;
    private final Deque<Answer> readinessAnswers = new ArrayDeque<>();
    private final Deque<Answer> publishAnswers = new ArrayDeque<>();
    private final Set<String> authorizations = new HashSet<>();
    private final List<Long> publishTimes = new ArrayList<>();
    private final List<PublishRequest> requests = new ArrayList<>();
    private final Set<List<String>> stored = new HashSet<>();
    private UnaryOperator<Stats.Books> cooking = books -> books;
    private @Nullable Answer everyPublish;
    private long received;

    ScriptedAggregator() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 100);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/readyz", exchange -> {
            Answer scripted = poll(readinessAnswers);
            (scripted == null ? answer(200, "{\"status\":\"UP\"}") : scripted).give(exchange);
        });
        server.createContext("/publish", this::publish);
        server.createContext("/stats", exchange -> {
            noteAuthorization(exchange);
            answer(200, stats()).give(exchange);
        });
        server.start();
    }

    /** An answer with this status and body. */
    static Answer answer(int status, String body, String... header) {
        return exchange -> {
            try (exchange) {
                byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
                exchange.getRequestBody().readAllBytes();
                exchange.getResponseHeaders().add("Content-Type", "application/json");
                for (int i = 0; i + 1 < header.length; i += 2) {
                    exchange.getResponseHeaders().add(header[i], header[i + 1]);
                }
                exchange.sendResponseHeaders(status, bytes.length);
                exchange.getResponseBody().write(bytes);
            }
        };
    }

    String target() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    /** Gives these answers to the next publish requests, in turn. */
    synchronized void nextPublish(Answer... answers) {
        publishAnswers.addAll(List.of(answers));
    }

    /** Gives this answer to each publish request from now on. */
    synchronized void everyPublish(Answer answer) {
        everyPublish = answer;
    }

    /** Gives these answers to the next questions for readiness, in turn. */
    synchronized void nextReadiness(Answer... answers) {
        readinessAnswers.addAll(List.of(answers));
    }

    /** Has the books told otherwise than they are. */
    synchronized void cook(UnaryOperator<Stats.Books> cooking) {
        this.cooking = cooking;
    }

    /** Takes the request as the API does, but loses the answer. */
    void takeWithoutAnswer(HttpExchange exchange) throws IOException {
        try (exchange) {
            take(exchange.getRequestBody().readAllBytes());
        }
    }

    /** When each attempt to publish arrived, in nanoseconds. */
    synchronized List<Long> publishTimes() {
        return List.copyOf(publishTimes);
    }

    /** How requests to publish and for the books were authorized; empty if not at all. */
    synchronized Set<String> authorizations() {
        return Set.copyOf(authorizations);
    }

    private synchronized void noteAuthorization(HttpExchange exchange) {
        authorizations.add(
                Objects.requireNonNullElse(exchange.getRequestHeaders().getFirst("Authorization"), ""));
    }

    /** The requests that were taken, in the order of arrival. */
    synchronized List<PublishRequest> requests() {
        return List.copyOf(requests);
    }

    /** The events that were taken, in the order of arrival. */
    List<Event> events() {
        return requests().stream()
                .flatMap(request -> request.events().stream())
                .map(SentEvent::event)
                .toList();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void publish(HttpExchange exchange) throws IOException {
        noteAuthorization(exchange);
        Answer scripted;
        synchronized (this) {
            publishTimes.add(System.nanoTime());
            scripted = publishAnswers.isEmpty() ? everyPublish : publishAnswers.poll();
        }
        if (scripted != null) {
            scripted.give(exchange);
            return;
        }
        PublishResponse response = take(exchange.getRequestBody().readAllBytes());
        answer(200, JSON.writeValueAsString(response)).give(exchange);
    }

    private synchronized PublishResponse take(byte[] body) {
        try {
            PublishRequest request = EventParser.parseRequest(body);
            requests.add(request);
            received += request.events().size();
            request.events().stream()
                    .map(SentEvent::event)
                    .forEach(event -> stored.add(List.of(event.topic(), event.eventId())));
            return PublishResponse.queued(request);
        } catch (MalformedJsonException | InvalidEventException e) {
            throw new IllegalStateException(e);
        }
    }

    private synchronized @Nullable Answer poll(Deque<Answer> answers) {
        return answers.poll();
    }

    private synchronized String stats() {
        Stats.Books books =
                cooking.apply(new Stats.Books(received, stored.size(), received - stored.size(), 0, 0, 0, 0));
        Stats.Queue queue = new Stats.Queue(books.queued(), books.inFlight(), 0, false);
        return JSON.writeValueAsString(Stats.of(books, queue, Map.of(), 1, 1));
    }
}
