package io.github.logaggregator.api;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.concurrent.Semaphore;
import org.springframework.stereotype.Component;

/**
 * Reads the bodies of requests, and bounds how many bytes of them there are in memory at one moment, whatever the
 * producers announce or send.
 */
@Component
class BodiesInHand {
    private static final int CHUNK = 64 * 1024;

    private final ApiProperties properties;
    private final Semaphore bytesLeft;

    BodiesInHand(ApiProperties properties) {
        this.properties = properties;
        this.bytesLeft =
                new Semaphore(Math.toIntExact(properties.maxBodiesInHand().toBytes()));
    }

    /** A body, which counts as in hand until it is closed. */
    final class Body implements AutoCloseable {
        private final ByteArrayOutputStream buffer = new ByteArrayOutputStream();
        private int reserved;

        byte[] bytes() {
            return buffer.toByteArray();
        }

        private void reserve(int bytes) {
            if (!bytesLeft.tryAcquire(bytes)) {
                throw Refusal.unavailable(
                        "More is being sent at this moment than fits into memory.", properties.retryAfter(), null);
            }
            reserved += bytes;
        }

        @Override
        public void close() {
            bytesLeft.release(reserved);
        }
    }

    /**
     * Reads a body to its end.
     *
     * @throws Refusal if it is too large (413), can't be read (400), or too many are in hand (503)
     */
    Body read(HttpServletRequest request) {
        long max = properties.maxRequestSize().toBytes();
        if (request.getContentLengthLong() > max) {
            throw tooLarge();
        }
        Body body = new Body();
        try (InputStream in = request.getInputStream()) {
            byte[] chunk = new byte[CHUNK];
            for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
                if (body.reserved + n > max) {
                    throw tooLarge();
                }
                body.reserve(n);
                body.buffer.write(chunk, 0, n);
            }
            return body;
        } catch (IOException e) {
            body.close();
            throw Refusal.malformed("The body ended before it was complete.");
        } catch (Refusal e) {
            body.close();
            throw e;
        }
    }

    private Refusal tooLarge() {
        return Refusal.tooLarge("The body is larger than "
                + properties.maxRequestSize().toBytes() + " bytes (api.max-request-size). Nothing was taken.");
    }
}
