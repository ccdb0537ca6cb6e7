package io.github.logaggregator.model;

/**
 * Where to report what has become of an event for which somebody waits: an API process, one of the requests that wait
 * there, and the event's place in it.
 *
 * @param api the random name of the API process; no spaces
 * @param request the process' number of the request
 * @param index the event's place in the request, from 0
 */
public record ReplyAddress(String api, long request, int index) {
    /** The longest that anybody waits, in seconds. What was settled longer ago is of interest to nobody. */
    public static final int MAX_WAIT_SECONDS = 60;

    /**
     * Reads what {@link #toString} gives.
     *
     * @throws IllegalArgumentException if the text is not {@code api:request:index}
     */
    public static ReplyAddress parse(String text) {
        String[] parts = text.split(":", -1);
        if (parts.length != 3 || parts[0].isEmpty()) {
            throw new IllegalArgumentException("not a reply address: " + text);
        }
        return new ReplyAddress(parts[0], Long.parseLong(parts[1]), Integer.parseInt(parts[2]));
    }

    @Override
    public String toString() {
        return api + ":" + request + ":" + index;
    }
}
