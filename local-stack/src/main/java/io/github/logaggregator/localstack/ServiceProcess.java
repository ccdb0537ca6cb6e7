package io.github.logaggregator.localstack;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A service's executable jar as a process, ready when it says so itself at its readiness address. */
public final class ServiceProcess extends LocalProcess {
    private final ServiceJar jar;
    private final LaunchOptions options;

    ServiceProcess(String name, ServiceJar jar, LaunchOptions options, DataFolder folder) {
        super(name, options.port(), folder);
        this.jar = jar;
        this.options = options;
    }

    /** Where it listens, such as {@code http://127.0.0.1:8080}. */
    public URI uri() {
        return URI.create("http://127.0.0.1:" + port());
    }

    @Override
    List<String> command() {
        List<String> command = jar.java(options.jvmOptions());
        command.addAll(List.of("--server.address=127.0.0.1", "--server.port=" + port()));
        command.addAll(options.arguments());
        return command;
    }

    @Override
    Map<String, String> environment() {
        return options.environment();
    }

    @Override
    Duration patience() {
        return Duration.ofSeconds(10);
    }

    @Override
    boolean isReady() {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) uri().resolve("/readyz").toURL().openConnection();
            connection.setConnectTimeout(1000);
            connection.setReadTimeout(3000);
            return connection.getResponseCode() == HttpURLConnection.HTTP_OK;
        } catch (IOException e) {
            return false;
        }
    }
}
