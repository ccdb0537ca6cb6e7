package io.github.logaggregator.model;

/**
 * The identity of a claim: made by Redis when entries are moved into the claim, and remembered by PostgreSQL when they
 * are settled, so that a claim that is delivered again counts once.
 *
 * @param nonce the worker's random part, which keeps ids apart even if Redis' numbers start anew
 * @param sequence Redis' running number of the claim, from 1
 */
public record ClaimId(String nonce, long sequence) {
    /**
     * Reads what {@link #toString} gives.
     *
     * @throws IllegalArgumentException if the text is not {@code nonce:sequence}
     */
    public static ClaimId parse(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("not a claim id: " + text);
        }
        return new ClaimId(text.substring(0, colon), Long.parseLong(text.substring(colon + 1)));
    }

    @Override
    public String toString() {
        return nonce + ":" + sequence;
    }
}
