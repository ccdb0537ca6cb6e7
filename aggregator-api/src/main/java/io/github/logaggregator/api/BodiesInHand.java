package io.github.logaggregator.api;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.stereotype.Component;
import org.springframework.util.FastByteArrayOutputStream;

/**
 * Reads the bodies of requests, gzip or not, and bounds how many bytes of them there are in memory at one moment,
 * whatever the producers announce or send. A compressed body counts with what was sent and what has been inflated of it.
 */
@Component
class BodiesInHand {
    private static final int CHUNK = 64 * 1024;
    private static final long PATIENCE_MILLIS = 1_000;

    private final ApiProperties properties;
    private final Semaphore bytesLeft;

    BodiesInHand(ApiProperties properties) {
        this.properties = properties;
        this.bytesLeft =
                new Semaphore(Math.toIntExact(properties.maxBodiesInHand().toBytes()), true);
    }

    /** A body, which counts as in hand until it is closed. */
    final class Body implements AutoCloseable {
        private final FastByteArrayOutputStream buffer;
        private int reserved;

        /** @param expected how many bytes it will probably have */
        Body(int expected) {
            this.buffer = new FastByteArrayOutputStream(expected);
        }

        byte[] bytes() {
            return buffer.toByteArrayUnsafe();
        }

        private void add(byte[] chunk, int length) throws IOException {
            int size = buffer.size() + length;
            if (size > properties.maxRequestSize().toBytes()) {
                throw tooLarge();
            }
            if (size > reserved && !bytesLeft.tryAcquire(size - reserved)) {
                throw tooMuch();
            }
            reserved = Math.max(reserved, size);
            buffer.write(chunk, 0, length);
        }

        /** Waits for room, for a moment. It holds none before: of those that hold some, each would wait for the other. */
        private void reserve(int bytes) {
            try {
                if (!bytesLeft.tryAcquire(bytes, PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw tooMuch();
                }
                reserved = bytes;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw tooMuch();
            }
        }

        @Override
        public void close() {
            bytesLeft.release(reserved);
        }
    }

    /**
     * Reads a body to its end, and inflates it if it is compressed.
     *
     * @throws Refusal if it is too large, as sent or inflated (413), is encoded in another way than gzip (415), can't be
     *     read (400), or too many are in hand (503)
     */
    Body read(HttpServletRequest request) {
        boolean gzip = isGzip(request.getHeader(HttpHeaders.CONTENT_ENCODING));
        long length = request.getContentLengthLong();
        if (length > properties.maxRequestSize().toBytes()) {
            throw tooLarge();
        }
        int expected = (int) Math.max(length, 1);
        Body sent = new Body(expected);
        // All at once, where the length is told: who begins to read can then read on, however many others want to.
        sent.reserve(expected);
        fill(sent, length < 0 ? CHUNK : expected, request::getInputStream, "The body ended before it was complete.");
        if (!gzip) {
            return sent;
        }
        // Inflated only when all of it is here: a body that is refused half-way would still have to be read to its end.
        try (sent) {
            Body inflated = new Body(CHUNK);
            fill(
                    inflated,
                    CHUNK,
                    () -> GzipCompressorInputStream.builder()
                            .setInputStream(sent.buffer.getInputStream())
                            .setDecompressConcatenated(true)
                            .get(),
                    "The body is announced as gzip, and is none, or not complete.");
            return inflated;
        }
    }

    /** @throws Refusal if it is anything else than one gzip, or nothing (415) */
    private static boolean isGzip(@Nullable String encoding) {
        return switch (encoding == null ? "identity" : encoding.toLowerCase(Locale.ROOT)) {
            case "identity" -> false;
            case "gzip", "x-gzip" -> true; // two names of one encoding (RFC 9110, section 8.4.1.3)
            default ->
                throw Refusal.unsupportedEncoding(
                        "The content encoding " + encoding + " is not understood; gzip is.", "gzip");
        };
    }

    @FunctionalInterface
    private interface Source {
        InputStream open() throws IOException;
    }

    private static void fill(Body body, int expected, Source source, String ifUnreadable) {
        boolean complete = false;
        try (InputStream in = source.open()) {
            byte[] chunk = new byte[Math.min(CHUNK, expected)];
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                body.add(chunk, n);
            }
            complete = true;
        } catch (IOException e) {
            throw Refusal.malformed(ifUnreadable);
        } finally {
            if (!complete) {
                body.close();
            }
        }
    }

    private Refusal tooMuch() {
        return Refusal.unavailable("More is being sent at this moment than fits into memory.", properties.retryAfter());
    }

    private Refusal tooLarge() {
        return Refusal.tooLarge("The body is larger than "
                + properties.maxRequestSize().toBytes() + " bytes (api.max-request-size). Nothing was taken.");
    }
}
