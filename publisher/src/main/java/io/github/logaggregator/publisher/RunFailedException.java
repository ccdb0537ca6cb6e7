package io.github.logaggregator.publisher;

/** Ends the run; its message is all that the user gets to see, so it says what went wrong and where. */
final class RunFailedException extends RuntimeException {
    private final int exitCode;

    RunFailedException(String message) {
        this(message, PublisherRun.FAILED);
    }

    RunFailedException(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    int exitCode() {
        return exitCode;
    }
}
