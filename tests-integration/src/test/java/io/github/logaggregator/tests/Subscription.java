package io.github.logaggregator.tests;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** A client of /events/stream, as the standard of Server-Sent Events has it, that keeps what it gets. */
final class Subscription implements AutoCloseable {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final InputStream body;
    // Guarded by itself.
    private final List<Message> messages = new ArrayList<>();
    private final CountDownLatch ended = new CountDownLatch(1);
    private volatile String lastEventId = "";
    private volatile String retry = "";
    private final AtomicInteger comments = new AtomicInteger();
    private volatile boolean closed;

    /** An event of the stream, and its id. */
    record Message(String id, String data) {
        String eventId() {
            return TestEvents.tree(data).get("event_id").stringValue();
        }
    }

    private Subscription(InputStream body, BiConsumer<Subscription, Message> onMessage) {
        this.body = body;
        Thread.ofVirtual().start(() -> read(onMessage));
    }

    /**
     * Subscribes, and returns when the stream has begun.
     *
     * @param query such as {@code ?topic=orders}
     */
    static Subscription to(URI api, String query, @Nullable String lastEventId) {
        return to(api, query, lastEventId, (subscription, message) -> {});
    }

    /** As who has a key. */
    static Subscription to(URI api, String query, @Nullable String lastEventId, String key) {
        return to(
                request(api, query, lastEventId).header("Authorization", "Bearer " + key),
                (subscription, message) -> {});
    }

    /** @param onMessage called after each event, before the next one is read */
    static Subscription to(
            URI api, String query, @Nullable String lastEventId, BiConsumer<Subscription, Message> onMessage) {
        return to(request(api, query, lastEventId), onMessage);
    }

    private static HttpRequest.Builder request(URI api, String query, @Nullable String lastEventId) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(api.resolve("/events/stream" + query)).header("Accept", "text/event-stream");
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        return request;
    }

    private static Subscription to(HttpRequest.Builder request, BiConsumer<Subscription, Message> onMessage) {
        try {
            HttpResponse<InputStream> response = HTTP.send(request.build(), BodyHandlers.ofInputStream());
            if (response.statusCode() != 200) {
                throw new AssertionError(response.statusCode() + ": "
                        + new String(response.body().readAllBytes(), StandardCharsets.UTF_8));
            }
            return new Subscription(response.body(), onMessage);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private void read(BiConsumer<Subscription, Message> onMessage) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
            String id = "";
            StringBuilder data = new StringBuilder();
            for (String line = lines.readLine(); line != null && !closed; line = lines.readLine()) {
                if (line.isEmpty()) {
                    lastEventId = id;
                    if (!data.isEmpty()) {
                        Message message = new Message(id, data.toString());
                        data.setLength(0);
                        synchronized (messages) {
                            messages.add(message);
                        }
                        onMessage.accept(this, message);
                    }
                } else if (line.startsWith(":")) {
                    comments.incrementAndGet();
                } else if (line.startsWith("id: ")) {
                    id = line.substring("id: ".length());
                } else if (line.startsWith("data: ")) {
                    data.append(line.substring("data: ".length()));
                } else if (line.startsWith("retry: ")) {
                    retry = line.substring("retry: ".length());
                } else {
                    throw new AssertionError("not of an event stream: " + line);
                }
            }
        } catch (IOException e) {
            // Closed by this client, or broken off.
        } finally {
            ended.countDown();
        }
    }

    /** What came, in the order in which it came. */
    List<Message> messages() {
        synchronized (messages) {
            return List.copyOf(messages);
        }
    }

    /** How many came. */
    int count() {
        synchronized (messages) {
            return messages.size();
        }
    }

    List<String> eventIds() {
        return messages().stream().map(Message::eventId).toList();
    }

    /** What to come again with. */
    String lastEventId() {
        return lastEventId;
    }

    /** How many milliseconds to wait before that; empty if the server did not say. */
    String retry() {
        return retry;
    }

    /** How many comments came, which is how the server shows that it is there. */
    int comments() {
        return comments.get();
    }

    /** Whether the stream has ended, or does so within that time. */
    boolean endsWithin(Duration patience) throws InterruptedException {
        return ended.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Goes away without a word. */
    @Override
    public void close() {
        closed = true;
        try {
            body.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
