package io.github.logaggregator.tests;

import static org.awaitility.Awaitility.await;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventJson;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import org.awaitility.core.ConditionTimeoutException;

/**
 * A producer that sends a request again, to the next API, until it is answered 200 or its patience ends, and knows of
 * every event what it was told. The real publisher tells no such thing, only sums.
 */
final class ChaosPublisher implements Callable<ChaosPublisher.Account> {
    private static final Duration PATIENCE = Duration.ofSeconds(8);
    private static final Duration ATTEMPT = Duration.ofSeconds(2);

    private final List<List<Event>> requests;
    private final Semaphore pace;
    private final Account account = new Account();
    private final List<URI> apis;
    private int failures;

    /**
     * What became of the events, once for each time they were sent.
     *
     * @param answered 200: they are on their way, for sure
     * @param unanswered by nobody, or 5xx: they may be on their way
     * @param refused not taken, for sure
     */
    record Account(List<Event> answered, List<Event> unanswered, List<Event> refused) {
        Account() {
            this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        }

        void addAll(Account other) {
            answered.addAll(other.answered);
            unanswered.addAll(other.unanswered);
            refused.addAll(other.refused);
        }
    }

    /**
     * @param apis where they listen
     * @param pace gives a permit for each event that may be sent
     */
    ChaosPublisher(List<URI> apis, List<List<Event>> requests, Semaphore pace) {
        this.apis = apis;
        this.requests = requests;
        this.pace = pace;
    }

    @Override
    public Account call() throws InterruptedException {
        try (HttpClient client = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(ATTEMPT)
                .build()) {
            for (List<Event> events : requests) {
                pace.acquire(events.size());
                send(client, events);
            }
            return account;
        }
    }

    private void send(HttpClient client, List<Event> events) {
        try {
            await().pollInSameThread()
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(100))
                    .atMost(PATIENCE)
                    .until(() -> isAnswered(client, events));
        } catch (ConditionTimeoutException e) {
            // Its patience is over, and the account has what is known of these.
        }
    }

    private boolean isAnswered(HttpClient client, List<Event> events) throws InterruptedException {
        URI api = apis.get(failures % apis.size());
        HttpRequest request = HttpRequest.newBuilder(api.resolve("/publish"))
                .header("Content-Type", "application/json")
                .timeout(ATTEMPT)
                .POST(BodyPublishers.ofByteArray(EventJson.write(events)))
                .build();
        try {
            int status = client.send(request, BodyHandlers.discarding()).statusCode();
            if (status == 200) {
                account.answered.addAll(events);
                return true;
            }
            if (status != 429 && status < 500) {
                throw new AssertionError("Events were answered with " + status + ": " + events);
            }
            (status == 429 ? account.refused : account.unanswered).addAll(events);
        } catch (ConnectException e) {
            account.refused.addAll(events);
        } catch (IOException e) {
            account.unanswered.addAll(events);
        }
        failures++;
        return false;
    }
}
