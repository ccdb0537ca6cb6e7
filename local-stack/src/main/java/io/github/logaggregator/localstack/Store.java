package io.github.logaggregator.localstack;

/**
 * PostgreSQL or Redis, which keeps its data and its port however often it is stopped, killed and started again. Embedded
 * here; the integration tests have another one, in a container.
 */
public interface Store extends AutoCloseable {
    String name();

    /** Where clients find it, such as {@code 127.0.0.1}. */
    String host();

    int port();

    /** Starts it, unless it runs; returns before it answers. */
    void start();

    /**
     * Waits until it answers.
     *
     * @throws StackException if it ends, or does not answer within two minutes; the message shows its log's end
     */
    void awaitReady();

    /** Stops it in an orderly way, with a bound, after which it is killed. */
    void stop();

    /** Kills it as a power cut would (SIGKILL), and returns when it is gone. */
    void kill();

    /** Stops all its work (SIGSTOP) while its connections stay open, until {@link #resume}. */
    void pause();

    void resume();

    /** The last lines of its log, for printing when a test fails. */
    String logTail();

    /** Stops it for good. */
    @Override
    void close();
}
