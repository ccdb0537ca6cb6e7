package io.github.logaggregator.benchmarks;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks services on kept-alive connections. */
final class Http {
    static final JsonMapper JSON = new JsonMapper();

    private final HttpClient client = HttpClient.newHttpClient();

    /** The body that a GET is answered with. */
    JsonNode get(URI uri) {
        HttpResponse<byte[]> response = send(HttpRequest.newBuilder(uri).build());
        if (response.statusCode() != 200) {
            throw new IllegalStateException(uri + " answers " + response.statusCode());
        }
        return JSON.readTree(response.body());
    }

    /** The status that a POST of JSON is answered with. */
    int post(URI uri, byte[] body) {
        return send(HttpRequest.newBuilder(uri)
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofByteArray(body))
                        .build())
                .statusCode();
    }

    /** Waits until an address answers with a status; what looks whether there is a use in that is called meanwhile. */
    void awaitStatus(int status, URI uri, Runnable look) {
        await().atMost(Duration.ofMinutes(1))
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptionsMatching(e -> e.getCause() instanceof IOException)
                .until(() -> {
                    look.run();
                    return send(HttpRequest.newBuilder(uri).build()).statusCode() == status;
                });
    }

    /** Reads what has no end, line by line, until the server ends it. */
    void lines(URI uri, Consumer<String> reader) {
        try (Stream<String> lines = client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofLines())
                .body()) {
            lines.forEach(reader);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private HttpResponse<byte[]> send(HttpRequest request) {
        try {
            return client.send(request, BodyHandlers.ofByteArray());
        } catch (IOException e) {
            throw new IllegalStateException(request.uri() + " does not answer", e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }
}
