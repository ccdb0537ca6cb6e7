package io.github.logaggregator.tests;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.Store;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a service and a store, or a client and the API, and loses things. Replies: the store has done what it
 * was asked for, and the service does not learn of it. Or, as a firewall does, whole connections: they stay open, and
 * nothing comes through them any more, while new ones work. Everything else it passes on as it comes.
 */
final class LossyProxy implements AutoCloseable {
    private static final long HELD_WITHIN_SECONDS = 60;

    private final String host;
    private final int port;
    private final ServerSocket server;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private volatile @Nullable HeldReply next;
    private volatile HeldReply last = new HeldReply("");

    LossyProxy(Store store) {
        this(store.host(), store.port());
    }

    LossyProxy(String host, int port) {
        this.host = host;
        this.port = port;
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().start(this::accept);
    }

    /** Arguments that lead a service to Redis by way of this. */
    String[] asRedis() {
        return new String[] {"--spring.data.redis.host=127.0.0.1", "--spring.data.redis.port=" + port()};
    }

    /** The argument that leads a service to PostgreSQL by way of this. */
    String asPostgres() {
        return "--spring.datasource.url=" + EmbeddedPostgresStore.jdbcUrl("127.0.0.1", port());
    }

    int port() {
        return server.getLocalPort();
    }

    /**
     * Holds back what the store answers on the connection on which the text passes next, in a request or in the reply
     * itself. Requests pass on.
     */
    HeldReply holdReply(String text) {
        HeldReply reply = new HeldReply(text);
        last = reply;
        next = reply;
        return reply;
    }

    /** Lets nothing pass any more on the connections of this moment. */
    void forgetConnections() {
        links.forEach(link -> link.forgotten = true);
    }

    /** Holds nothing back any longer. */
    void passOn() {
        next = null;
        last.release();
    }

    /** A reply that is under way for as long as the test wants. */
    static final class HeldReply {
        private final String text;
        private final CompletableFuture<Link> held = new CompletableFuture<>();
        private final CompletableFuture<Void> decided = new CompletableFuture<>();

        private HeldReply(String text) {
            this.text = text;
        }

        /** Waits until the text has passed: from now on the service gets no answer. */
        HeldReply await() {
            held.orTimeout(HELD_WITHIN_SECONDS, TimeUnit.SECONDS).join();
            return this;
        }

        /** Cuts the connection; the reply is lost. */
        void cut() {
            held.join().close();
            decided.complete(null);
        }

        /** Lets the reply through, late. */
        void release() {
            decided.complete(null);
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket service = server.accept();
                try {
                    Link link = new Link(service, new Socket(host, port));
                    links.add(link);
                    Thread.ofVirtual().start(() -> link.pass(link.service, link.store));
                    Thread.ofVirtual().start(() -> link.pass(link.store, link.service));
                } catch (IOException e) {
                    close(service); // the store is away
                }
            }
        } catch (IOException e) {
            // It was closed.
        }
    }

    /** A service's connection, and the one to the store that goes with it. */
    private final class Link {
        private final Socket service;
        private final Socket store;
        private volatile CompletableFuture<Void> mayAnswer = CompletableFuture.completedFuture(null);
        private volatile boolean forgotten;

        private Link(Socket service, Socket store) {
            this.service = service;
            this.store = store;
        }

        private void pass(Socket from, Socket to) {
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                byte[] bytes = new byte[64 * 1024];
                String before = "";
                for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
                    before = look(before, bytes, n);
                    if (from.equals(store)) {
                        mayAnswer.join();
                    }
                    if (!forgotten) {
                        out.write(bytes, 0, n);
                    }
                }
            } catch (IOException e) {
                // One side is gone, so the other one goes, too.
            }
            if (!forgotten || from.equals(service)) {
                close();
            }
        }

        /** Looks for the text that is waited for; gives the end of what passes, in which it may have begun. */
        private String look(String before, byte[] bytes, int n) {
            HeldReply wanted = next;
            if (wanted == null) {
                return "";
            }
            String passing = before + new String(bytes, 0, n, StandardCharsets.ISO_8859_1);
            if (passing.contains(wanted.text)) {
                mayAnswer = wanted.decided;
                next = null;
                wanted.held.complete(this);
            }
            return passing.substring(Math.max(0, passing.length() - wanted.text.length()));
        }

        private void close() {
            links.remove(this);
            LossyProxy.close(service);
            LossyProxy.close(store);
        }
    }

    private static void close(AutoCloseable socket) {
        try {
            socket.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        close(server);
        links.forEach(Link::close);
    }
}
