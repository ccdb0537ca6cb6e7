package io.github.logaggregator.localstack;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** Finds ports of the loopback interface that nobody listens on. */
public final class Ports {
    // Below the range from which Linux (32768 on) and macOS (49152 on) give outgoing connections their port: while a
    // server is down, a client that tries to reach it must not be given its port, or it can't start again.
    private static final int FIRST = 20_000;
    private static final int END = 32_768;

    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private Ports() {}

    /** A port that is free, and that this JVM has not been given before. */
    public static int free() {
        for (int attempt = 0; attempt < 1000; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, END);
            if (GIVEN.add(port) && isFree(port)) {
                return port;
            }
        }
        throw new StackException("No port from " + FIRST + " to " + (END - 1) + " is free.");
    }

    static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }
}
