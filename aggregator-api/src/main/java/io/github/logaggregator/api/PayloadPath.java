package io.github.logaggregator.api;

import java.util.List;

/** A way into payloads: the keys of objects, one in the other, or the places of elements of arrays. */
record PayloadPath(List<String> keys) {
    private static final String PREFIX = "payload.";
    private static final int MAX_KEYS = 20;

    /** Whether a parameter of a query has such a name as {@code payload.order.amount}. */
    static boolean isNamedBy(String parameter) {
        return parameter.startsWith(PREFIX);
    }

    /**
     * The path that a parameter of a query names.
     *
     * @throws Refusal if it is none (422)
     */
    static PayloadPath of(String parameter) {
        try {
            return ofKeys(parameter.substring(PREFIX.length()));
        } catch (IllegalArgumentException e) {
            throw Paging.invalid(parameter, "must name 1 to " + MAX_KEYS + " keys, with dots between");
        }
    }

    /**
     * The path of keys such as {@code order.amount}.
     *
     * @throws IllegalArgumentException if these are none
     */
    static PayloadPath ofKeys(String text) {
        List<String> keys = List.of(text.split("\\.", -1));
        if (keys.size() > MAX_KEYS || keys.contains("") || text.indexOf('\0') >= 0) {
            throw new IllegalArgumentException(text + " is no path of 1 to " + MAX_KEYS + " keys with dots between");
        }
        return new PayloadPath(keys);
    }

    /** The keys as PostgreSQL's driver takes them. */
    String[] array() {
        return keys.toArray(String[]::new);
    }

    @Override
    public String toString() {
        return String.join(".", keys);
    }
}
