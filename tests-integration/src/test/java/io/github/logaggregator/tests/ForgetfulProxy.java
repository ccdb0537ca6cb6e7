package io.github.logaggregator.tests;

import io.github.logaggregator.localstack.Store;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Stands between a service and a store, as a firewall does, and can forget the connections it has: they stay open, and
 * nothing comes through them any more, while new ones work.
 */
final class ForgetfulProxy implements AutoCloseable {
    private final Store store;
    private final ServerSocket server;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();

    ForgetfulProxy(Store store) {
        this.store = store;
        try {
            server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Thread.ofVirtual().name("proxy of " + store.name()).start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void forgetConnections() {
        links.forEach(link -> link.forgotten = true);
    }

    private void accept() {
        try {
            while (true) {
                Socket service = server.accept();
                Thread.ofVirtual().start(() -> connect(service));
            }
        } catch (IOException e) {
            close(); // by the end of the test
        }
    }

    private void connect(Socket service) {
        try {
            Link link = new Link(service, new Socket(store.host(), store.port()));
            links.add(link);
            Thread.ofVirtual().start(() -> link.pass(link.service, link.store));
            link.pass(link.store, link.service);
        } catch (IOException e) {
            close(service); // since the store is away
        }
    }

    /** A service's connection, and the one to the store that goes with it. */
    private final class Link {
        private final Socket service;
        private final Socket store;
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
                for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
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

        private void close() {
            links.remove(this);
            ForgetfulProxy.close(service);
            ForgetfulProxy.close(store);
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
