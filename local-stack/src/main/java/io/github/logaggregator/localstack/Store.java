package io.github.logaggregator.localstack;

/**
 * PostgreSQL or Redis, which keeps its data and its port however often it is stopped, killed and started again. Embedded
 * here; the integration tests have another one, in a container.
 */
public interface Store extends ManagedProcess, AutoCloseable {
    /** Where clients find it, such as {@code 127.0.0.1}. */
    String host();

    /** What it has written to its log since it was started first. */
    String log();

    /** Stops it for good. */
    @Override
    void close();
}
