package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A compressed body is what it is when it is inflated: taken as it is, bounded as it is, refused when it is not whole. */
@SharedSystem
class GzipIT {
    private static final int MAX_REQUEST = 8 << 20;
    private static final String EVENT = TestEvents.json(TestEvents.event("t", "1"));

    /** Whether the length of a body is told before it is sent. */
    enum Length {
        TOLD {
            @Override
            BodyPublisher publisher(byte[] body) {
                return BodyPublishers.ofByteArray(body);
            }
        },
        CHUNKED {
            @Override
            BodyPublisher publisher(byte[] body) {
                return BodyPublishers.fromPublisher(BodyPublishers.ofByteArray(body));
            }
        };

        abstract BodyPublisher publisher(byte[] body);
    }

    static byte[] gzip(byte[] plain) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(compressed)) {
            out.write(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return compressed.toByteArray();
    }

    private static byte[] gzip(String plain) {
        return gzip(plain.getBytes(UTF_8));
    }

    /** So many times the same, one after the other; of gzips that is a gzip, too. */
    static byte[] repeat(byte[] part, int times) {
        byte[] whole = new byte[part.length * times];
        for (int i = 0; i < times; i++) {
            System.arraycopy(part, 0, whole, i * part.length, part.length);
        }
        return whole;
    }

    private static byte[] concat(byte[] first, byte[] second) {
        byte[] whole = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, whole, first.length, second.length);
        return whole;
    }

    private static HttpResponse<String> publish(AggregatorSystem system, String encoding, BodyPublisher body)
            throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(system.api().resolve("/publish"))
                            .version(HttpClient.Version.HTTP_1_1)
                            .header("Content-Type", "application/json")
                            .header("Content-Encoding", encoding)
                            .POST(body)
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    private static void assertRefused(HttpResponse<String> response, int status) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("Content-Type")).contains("application/problem+json");
    }

    @ParameterizedTest
    @EnumSource
    void takesACompressedBatchAsItIs(Length length, AggregatorSystem system) throws Exception {
        List<Event> events = TestEvents.events(AggregatorSystem.newTopic(), 1_000);
        byte[] body = gzip(TestEvents.json(events));
        assertThat(publish(system, "gzip", length.publisher(body)).statusCode()).isEqualTo(200);
        system.awaitSettled();
        assertThat(system.allEvents("?topic=" + events.getFirst().topic())).containsExactlyInAnyOrderElementsOf(events);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gzip", "GZip", "x-gzip"})
    void takesEachNameOfTheEncoding(String name, AggregatorSystem system) throws Exception {
        Event event = TestEvents.ofPayloadSize(AggregatorSystem.newTopic(), "1", 1 << 20);
        byte[] body = gzip(TestEvents.json(event));
        assertThat(publish(system, name, BodyPublishers.ofByteArray(body)).statusCode())
                .isEqualTo(200);
        system.awaitSettled();
        assertThat(system.eventsOf(event.topic())).containsExactly(event);
    }

    /** As a producer makes them that compresses piece by piece; some pieces may be empty. */
    @ParameterizedTest
    @EnumSource
    void takesGzipsOneAfterTheOtherAsOne(Length length, AggregatorSystem system) throws Exception {
        List<Event> events = TestEvents.events(AggregatorSystem.newTopic(), 100);
        String json = TestEvents.json(events);
        byte[] empty = repeat(gzip(""), 50_000);
        byte[] body = concat(gzip(json.substring(0, 3_000)), concat(empty, gzip(json.substring(3_000))));
        assertThat(publish(system, "gzip", length.publisher(body)).statusCode()).isEqualTo(200);
        system.awaitSettled();
        assertThat(system.allEvents("?topic=" + events.getFirst().topic())).containsExactlyInAnyOrderElementsOf(events);
    }

    @ParameterizedTest
    @EnumSource
    void boundsWhatIsInflated(Length length, AggregatorSystem system) throws Exception {
        String event = TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1"));
        String largest = event + " ".repeat(MAX_REQUEST - event.length());
        assertThat(publish(system, "gzip", length.publisher(gzip(largest))).statusCode())
                .isEqualTo(200);
        Books before = system.awaitSettled();

        HttpResponse<String> response = publish(system, "gzip", length.publisher(gzip(largest + " ")));
        assertRefused(response, 413);
        assertThat(response.body()).contains("api.max-request-size");
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    /** Bodies that are announced as gzip, but cannot be inflated to their end. */
    static List<Named<byte[]>> broken() {
        byte[] whole = gzip(EVENT);
        byte[] wrong = whole.clone();
        wrong[wrong.length - 8] ^= 1; // in the last eight bytes, checksum and length (RFC 1952)
        return List.of(
                Named.of("empty", new byte[0]),
                Named.of("not compressed", EVENT.getBytes(UTF_8)),
                Named.of("cut short", Arrays.copyOf(whole, whole.length - 1)),
                Named.of("cut in its middle", Arrays.copyOf(whole, 40)),
                Named.of("followed by another that is cut short", concat(whole, Arrays.copyOf(whole, 5))),
                Named.of("followed by something else", concat(whole, EVENT.getBytes(UTF_8))),
                Named.of("followed by a byte", concat(whole, new byte[1])),
                Named.of("with a wrong checksum", wrong));
    }

    @ParameterizedTest
    @MethodSource("broken")
    void refusesWhatCannotBeInflated(byte[] broken, AggregatorSystem system) throws Exception {
        Books before = system.awaitSettled();
        HttpResponse<String> response = publish(system, "gzip", BodyPublishers.ofByteArray(broken));
        assertRefused(response, 400);
        assertThat(response.body()).contains("gzip");
        assertThat(system.awaitSettled()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(strings = {"br", "deflate", "zstd", "gzip, gzip", "compress", "*"})
    void tellsWhichEncodingItTakesWhenItIsSentAnother(String encoding, AggregatorSystem system) throws Exception {
        HttpResponse<String> response = publish(system, encoding, BodyPublishers.ofByteArray(gzip(EVENT)));
        assertRefused(response, 415);
        assertThat(response.headers().firstValue("Accept-Encoding")).contains("gzip");
    }

    @Test
    void takesABodyThatIsAnnouncedAsNotEncoded(AggregatorSystem system) throws Exception {
        String event = TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1"));
        assertThat(publish(system, "identity", BodyPublishers.ofString(event)).statusCode())
                .isEqualTo(200);
    }
}
