package io.github.logaggregator.localstack;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What the stack knows of a service: it can be extracted, listens where it is told, and says that it is ready. As a
 * publisher it looks whether the API is there, and ends.
 */
final class StandInService {
    static final int EXIT_STATUS_OF_KEYS = 7;

    private StandInService() {}

    public static void main(String[] arguments) throws IOException {
        if (arguments.length > 0 && arguments[0].equals("extract")) {
            Path jar = Path.of(System.getProperty("java.class.path"));
            Files.copy(jar, Path.of(arguments[arguments.length - 1]).resolve(jar.getFileName()));
        }
        if (arguments.length > 0 && arguments[0].equals("keys")) {
            System.out.println("The command was told " + String.join(" ", arguments) + " at "
                    + System.getenv("SPRING_DATASOURCE_URL"));
            System.exit(EXIT_STATUS_OF_KEYS);
        }
        for (String argument : List.of(arguments)) {
            String value = argument.substring(argument.indexOf('=') + 1);
            if (argument.startsWith("--server.port=")) {
                HttpServer server = HttpServer.create(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(value)), 0);
                server.createContext("/readyz", exchange -> {
                    exchange.sendResponseHeaders(200, -1);
                    exchange.close();
                });
                server.start();
            } else if (argument.startsWith("--publisher.target=")) {
                URI.create(value).resolve("/readyz").toURL().openStream().close();
                System.out.println("The publisher was told " + String.join(" ", arguments));
            }
        }
    }
}
