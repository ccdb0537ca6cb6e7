package io.github.logaggregator.model;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The span of a publish request, for those that are sampled, as W3C Trace Context writes it: {@value #LENGTH} characters,
 * always.
 *
 * @param traceId the trace: 32 hexadecimal digits in lower case, not all of them 0
 * @param spanId the span within it: 16 such digits
 */
public record TraceParent(String traceId, String spanId) {
    /** Of {@link #toString}. */
    public static final int LENGTH = 55;

    private static final Pattern TRACE_ID = Pattern.compile("(?!0+$)[0-9a-f]{32}");
    private static final Pattern SPAN_ID = Pattern.compile("(?!0+$)[0-9a-f]{16}");

    /** What may stand in an entry: version 00, the two ids, and flags of which the last bit says that it is sampled. */
    private static final Pattern TEXT = Pattern.compile("00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][13579bdf]");

    /** @throws IllegalArgumentException if one of the ids is none */
    public TraceParent {
        if (!isValid(traceId, spanId)) {
            throw new IllegalArgumentException("not the ids of a trace and a span");
        }
    }

    private static boolean isValid(String traceId, String spanId) {
        return TRACE_ID.matcher(traceId).matches() && SPAN_ID.matcher(spanId).matches();
    }

    /** Reads what {@link #toString} gives; null if the text is anything else: no event is the worse for its trace. */
    public static @Nullable TraceParent parse(String text) {
        Matcher parts = TEXT.matcher(text);
        return parts.matches() && isValid(parts.group(1), parts.group(2))
                ? new TraceParent(parts.group(1), parts.group(2))
                : null;
    }

    @Override
    public String toString() {
        return "00-" + traceId + "-" + spanId + "-01";
    }
}
