package io.github.logaggregator.api;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayInputStream;
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
    private static final String NO_GZIP = "The body is announced as gzip, and is none, or not complete.";

    private final ApiProperties properties;
    private final Semaphore bytesLeft;

    BodiesInHand(ApiProperties properties) {
        this.properties = properties;
        this.bytesLeft =
                new Semaphore(Math.toIntExact(properties.maxBodiesInHand().toBytes()), true);
    }

    /**
     * A body that is read, once. What has been read of it counts as in hand until it is closed; of a compressed one what is
     * inflated, and what was sent, too.
     */
    final class Body extends InputStream {
        private final InputStream in;
        private final int expected;
        private final String ifUnreadable;
        private int size;
        private int reserved;

        /**
         * @param expected how many bytes it will probably have
         * @param ifUnreadable what to say if it ends too early
         */
        private Body(InputStream in, int expected, String ifUnreadable) {
            this.in = in;
            this.expected = expected;
            this.ifUnreadable = ifUnreadable;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        /** @throws Refusal if it is too large (413), or too much is in hand (503) */
        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int n;
            try {
                n = in.read(bytes, offset, length);
            } catch (IOException e) {
                throw new IOException(ifUnreadable, e);
            }
            size += Math.max(n, 0);
            if (size > properties.maxRequestSize().toBytes()) {
                throw tooLarge();
            }
            if (size > reserved && !bytesLeft.tryAcquire(size - reserved)) {
                throw tooMuch();
            }
            reserved = Math.max(reserved, size);
            return n;
        }

        @Override
        public byte[] readAllBytes() throws IOException {
            FastByteArrayOutputStream all = new FastByteArrayOutputStream(expected);
            byte[] chunk = new byte[Math.min(CHUNK, expected)];
            for (int n = read(chunk); n >= 0; n = read(chunk)) {
                all.write(chunk, 0, n);
            }
            return all.toByteArrayUnsafe();
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
            reserved = 0;
            try {
                in.close();
            } catch (IOException e) {
                // Nothing more is wanted of it; what was read may have been queued by now.
            }
        }
    }

    /**
     * Gives a body to read, inflated if it is compressed.
     *
     * @throws IOException if it can't be read; the message says why, and names nothing of the implementation
     * @throws Refusal if it is too large (413), is encoded in another way than gzip (415), or too many are in hand (503)
     */
    Body open(HttpServletRequest request) throws IOException {
        boolean gzip = isGzip(request.getHeader(HttpHeaders.CONTENT_ENCODING));
        long length = request.getContentLengthLong();
        if (length > properties.maxRequestSize().toBytes()) {
            throw tooLarge();
        }
        Body sent = new Body(
                request.getInputStream(),
                length < 0 ? CHUNK : (int) Math.max(length, 1),
                "The body ended before it was complete.");
        // All at once, where the length is told: who begins to read can then read on, however many others want to.
        sent.reserve((int) Math.max(length, 1));
        return gzip ? inflated(sent) : sent;
    }

    /** Inflated only when all of it is here: a body that is refused half-way would still have to be read to its end. */
    private Body inflated(Body sent) throws IOException {
        try {
            InputStream whole = new ByteArrayInputStream(sent.readAllBytes()) {
                @Override
                public void close() {
                    sent.close();
                }
            };
            return new Body(gunzip(whole), CHUNK, NO_GZIP);
        } catch (IOException | RuntimeException e) {
            sent.close();
            throw e;
        }
    }

    private static InputStream gunzip(InputStream compressed) throws IOException {
        try {
            return GzipCompressorInputStream.builder()
                    .setInputStream(compressed)
                    .setDecompressConcatenated(true)
                    .get();
        } catch (IOException e) {
            throw new IOException(NO_GZIP, e);
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

    private Refusal tooMuch() {
        return Refusal.unavailable("More is being sent at this moment than fits into memory.", properties.retryAfter());
    }

    private Refusal tooLarge() {
        return Refusal.tooLarge("The body is larger than "
                + properties.maxRequestSize().toBytes() + " bytes (api.max-request-size). Nothing was taken.");
    }
}
