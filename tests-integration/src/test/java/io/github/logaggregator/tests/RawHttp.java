package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.util.Locale;

/** HTTP as no client would send it: the bytes as they are, on a connection of their own. */
final class RawHttp {
    /** Longer than any answer may take, but those to bodies that stop coming. */
    private static final int TIMEOUT_MILLIS = 10_000;

    private RawHttp() {}

    /**
     * What came back until the server closed the connection.
     *
     * @param head the status line and headers, in lower case; empty if there is none
     */
    record Answer(int status, String head, String body) {
        /** Asserts that it is a problem detail (RFC 9457) that tells nothing of the implementation. */
        Answer assertProblem() {
            assertThat(head).as(body).containsPattern("^$|\ncontent-type: application/problem\\+json");
            assertThat(TestEvents.tree(body).get("status").intValue()).isEqualTo(status);
            assertThat(body)
                    .doesNotContainIgnoringCase("exception")
                    .doesNotContainIgnoringCase("logaggregator")
                    .doesNotContainIgnoringCase("tomcat")
                    .doesNotContainIgnoringCase("springframework")
                    .doesNotContainIgnoringCase("jackson")
                    .doesNotContain("java.", "<html");
            return this;
        }
    }

    /** The bytes of a request with these lines as its head and a body; it asks the server to close the connection. */
    static byte[] request(byte[] body, String... head) {
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.writeBytes(
                (String.join("\r\n", head) + "\r\nHost: x\r\nConnection: close\r\n\r\n").getBytes(ISO_8859_1));
        request.writeBytes(body);
        return request.toByteArray();
    }

    /** Sends the bytes, and reads to the end. */
    static Answer exchange(URI server, byte[] request) {
        try (Socket socket = new Socket(server.getHost(), server.getPort())) {
            socket.setSoTimeout(TIMEOUT_MILLIS);
            try {
                socket.getOutputStream().write(request);
                // So that nobody waits for what else may come of a body.
                socket.shutdownOutput();
            } catch (SocketException e) {
                // It has been answered before its end, which is to be read.
            }
            String answer = new String(readAll(socket.getInputStream()), UTF_8);
            if (answer.startsWith("{")) {
                // A request line of HTTP/0.9, which knows no headers, is answered in kind.
                return new Answer(TestEvents.tree(answer).get("status").intValue(), "", answer);
            }
            assertThat(answer).startsWith("HTTP/1.1 ");
            int end = answer.indexOf("\r\n\r\n");
            String head = answer.substring(0, end).toLowerCase(Locale.ROOT);
            String body = answer.substring(end + 4);
            return new Answer(
                    Integer.parseInt(head.substring(9, 12)),
                    head,
                    head.contains("transfer-encoding: chunked") ? unchunked(body) : body);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] readAll(InputStream in) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            byte[] buffer = new byte[16_384];
            int read = in.read(buffer);
            while (read >= 0) {
                all.write(buffer, 0, read);
                read = isEventStream(buffer) ? -1 : in.read(buffer);
            }
        } catch (SocketException e) {
            // A server that closes a connection with bytes left to read resets it.
            if (all.size() == 0) {
                throw e;
            }
        }
        return all.toByteArray();
    }

    /** Whether it is the beginning of what has no end. */
    private static boolean isEventStream(byte[] answer) {
        return new String(answer, ISO_8859_1).contains("Content-Type: text/event-stream");
    }

    /** A text without the sizes of its chunks; JSON has no line that looks like one. */
    private static String unchunked(String chunks) {
        return chunks.replaceAll("(^|\r\n)[0-9a-fA-F]+\r\n", "").strip();
    }
}
