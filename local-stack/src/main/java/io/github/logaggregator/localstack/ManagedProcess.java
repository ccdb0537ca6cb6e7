package io.github.logaggregator.localstack;

/** A part of the system that can be stopped, killed, paused and started again, each time on the same port and data. */
public interface ManagedProcess {
    String name();

    int port();

    /** Starts it, unless it runs; returns before it is ready. */
    void start();

    /**
     * Waits until it is ready.
     *
     * @throws StackException if it ends, or is not ready within two minutes; the message shows its log's end
     */
    void awaitReady();

    /** Lets it end in its own way, and kills it if it has not within its bound. */
    void stop();

    /** Kills it as a power cut would (SIGKILL), and returns when it is gone. */
    void kill();

    /** Stops all its work (SIGSTOP), while its connections stay open, until {@link #resume}. */
    void pause();

    /** Goes on after {@link #pause} (SIGCONT). */
    void resume();

    /** The last lines of its log, for printing when a test fails. */
    String logTail();
}
