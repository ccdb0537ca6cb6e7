package io.github.logaggregator.localstack;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How a service is started, beside what the stack itself tells it.
 *
 * @param port where it listens; 0 for a free one
 * @param jvmOptions options of its JVM, after the stack's own
 * @param environment variables in addition to those of this JVM
 * @param arguments its command line, such as {@code --server.shutdown=immediate}
 */
public record LaunchOptions(
        int port, List<String> jvmOptions, Map<String, String> environment, List<String> arguments) {
    public LaunchOptions {
        jvmOptions = List.copyOf(jvmOptions);
        environment = Map.copyOf(environment);
        arguments = List.copyOf(arguments);
    }

    /** A free port, and nothing else. */
    public static LaunchOptions defaults() {
        return new LaunchOptions(0, List.of(), Map.of(), List.of());
    }

    public LaunchOptions onPort(int newPort) {
        return new LaunchOptions(newPort, jvmOptions, environment, arguments);
    }

    public LaunchOptions withJvmOptions(String... more) {
        return new LaunchOptions(port, append(jvmOptions, more), environment, arguments);
    }

    public LaunchOptions withEnvironment(String name, String value) {
        return withEnvironment(Map.of(name, value));
    }

    public LaunchOptions withArguments(String... more) {
        return new LaunchOptions(port, jvmOptions, environment, append(arguments, more));
    }

    LaunchOptions withEnvironment(Map<String, String> more) {
        Map<String, String> all = new HashMap<>(environment);
        all.putAll(more);
        return new LaunchOptions(port, jvmOptions, all, arguments);
    }

    private static List<String> append(List<String> first, String... more) {
        return Stream.concat(first.stream(), Stream.of(more)).toList();
    }
}
