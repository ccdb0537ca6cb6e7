package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What a refusal tells of keys: neither its text nor the time that it takes tells whether there is, or was, such a key. */
@OwnSystem(apis = 0, workers = 0)
class RefusalTimeIT {
    private static final int WARM_UP_ROUNDS = 300;
    private static final int ROUNDS = 1_000;

    /**
     * How far the medians may lie apart, as a factor. All kinds take turns on one connection, so that whatever else the machine does
     * meets each of them alike, and half of the requests would have to be hit to move a median. It is wide, for the medians are
     * those of short exchanges of HTTP. It is meaningful for what matters: a slow hash, or a wait for a store, that only keys that
     * exist would pay for, takes many times as long. A difference of less, as in finding a hash in a map, it does not see; that one
     * is of hashes, which tell nobody how a key begins.
     */
    private static final double FACTOR = 1.5;

    @Test
    void aRefusalTakesAsLongWhetherThereIsSuchAKeyOrNot(AggregatorSystem system) throws Exception {
        Keys keys = new Keys(system);
        String expired = keys.create("expired", "publish,read,admin", "*", "--expires=1s");
        String revoked = keys.create("revoked", "publish,read,admin", "*");
        keys.revoke("revoked");
        system.startApi();
        URI publish = system.apis().getFirst().uri().resolve("/publish");
        List<Kind> kinds = List.of(
                new Kind("expired", request(publish, expired)),
                new Kind("revoked", request(publish, revoked)),
                new Kind("unknown", request(publish, "agg_" + "0".repeat(64))),
                // As long as a key, so that all requests have as many bytes.
                new Kind("malformed", request(publish, "x".repeat(68))));
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            // One request at a time: the client keeps one connection.
            Awaitility.await()
                    .until(() -> kinds.stream()
                            .allMatch(kind -> send(client, kind.request()).statusCode() == 401));
            String text = send(client, kinds.getFirst().request()).body();
            for (int round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
                for (Kind kind : kinds) {
                    long start = System.nanoTime();
                    HttpResponse<String> answer = send(client, kind.request());
                    long took = System.nanoTime() - start;
                    assertThat(answer.statusCode()).isEqualTo(401);
                    assertThat(answer.body()).as(kind.name()).isEqualTo(text);
                    if (round >= 0) {
                        kind.nanos().add(took);
                    }
                }
            }
        }
        LongSummaryStatistics medians = kinds.stream().mapToLong(Kind::median).summaryStatistics();
        assertThat((double) medians.getMax() / medians.getMin())
                .as(kinds.stream()
                        .map(kind -> kind.name() + ": " + Duration.ofNanos(kind.median()))
                        .collect(Collectors.joining(", ")))
                .isLessThan(FACTOR);
    }

    /** A key that is refused, and how long that took. */
    private record Kind(String name, HttpRequest request, List<Long> nanos) {
        Kind(String name, HttpRequest request) {
            this(name, request, new ArrayList<>(ROUNDS));
        }

        long median() {
            return nanos.stream().sorted().skip(ROUNDS / 2).findFirst().orElseThrow();
        }
    }

    private static HttpRequest request(URI publish, String key) {
        return HttpRequest.newBuilder(publish)
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(TestEvents.json(TestEvents.event("orders.1", "1"))))
                .build();
    }

    private static HttpResponse<String> send(HttpClient client, HttpRequest request) {
        try {
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }
}
