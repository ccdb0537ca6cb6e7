package io.github.logaggregator.localstack;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;

/**
 * What the stack knows of a service: it listens where it is told and says that it is ready. As a publisher it looks
 * whether the API is there, and ends.
 */
final class StandInService {
    private StandInService() {}

    public static void main(String[] arguments) throws IOException {
        for (String argument : List.of(arguments)) {
            String value = argument.substring(argument.indexOf('=') + 1);
            if (argument.startsWith("--server.port=")) {
                HttpServer server = HttpServer.create(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(value)), 0);
                server.createContext("/actuator/health/readiness", exchange -> {
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                });
                server.start();
            } else if (argument.startsWith("--publisher.target=")) {
                URI.create(value)
                        .resolve("/actuator/health/readiness")
                        .toURL()
                        .openStream()
                        .close();
                System.out.println("The publisher was told " + String.join(" ", arguments));
            }
        }
    }
}
