package io.github.logaggregator.localstack;

import java.io.Serial;

/** Says, in words that its user can act on, why the stack or a part of it can't run. */
public final class StackException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1;

    public StackException(String message) {
        super(message);
    }

    public StackException(String message, Throwable cause) {
        super(message, cause);
    }
}
