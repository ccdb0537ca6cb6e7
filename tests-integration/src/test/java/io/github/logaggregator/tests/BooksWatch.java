package io.github.logaggregator.tests;

import io.github.logaggregator.model.Stats;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Asks for the books, one API after the other, and remembers every answer that did not balance, or went back. */
final class BooksWatch implements Runnable {
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private final AggregatorSystem system;
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<Books> wrong = new ArrayList<>();
    private int questions;
    private int answers;
    private long received;

    BooksWatch(AggregatorSystem system) {
        this.system = system;
    }

    /** Asks once. An API that does not answer 200 is no fault. */
    @Override
    public synchronized void run() {
        URI api = system.apis().get(questions++ % system.apis().size()).uri();
        HttpRequest request =
                HttpRequest.newBuilder(api.resolve("/stats")).timeout(PATIENCE).build();
        try {
            HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
            if (response.statusCode() == 200) {
                check(TestEvents.JSON.readValue(response.body(), Stats.class).books());
            }
        } catch (IOException e) {
            // It is down.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void check(Books books) {
        answers++;
        long sum = books.stored() + books.duplicates() + books.deadLettered() + books.queued() + books.inFlight();
        if (books.unaccounted() != 0 || books.received() != sum || books.received() < received) {
            wrong.add(books);
        }
        received = Math.max(received, books.received());
    }

    /** How many answers there were. */
    synchronized int answers() {
        return answers;
    }

    /** The answers that were wrong. */
    synchronized List<Books> wrong() {
        return List.copyOf(wrong);
    }
}
