package io.github.logaggregator.model;

/** Bytes that are no JSON, or no UTF-8; the message says where and why, and names nothing of the implementation. */
public final class MalformedJsonException extends Exception {
    MalformedJsonException(String message) {
        super(message);
    }

    static MalformedJsonException notUtf8() {
        return new MalformedJsonException("The text is not valid UTF-8.");
    }
}
