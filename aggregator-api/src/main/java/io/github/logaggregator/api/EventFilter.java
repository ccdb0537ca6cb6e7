package io.github.logaggregator.api;

import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.Timestamps;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.util.MultiValueMap;

/**
 * Which events a query asks for: those that meet every condition. What is not understood is refused, since whoever misspells a
 * parameter would get other events than were asked for.
 *
 * @param topics any of these; all if it is empty
 * @param source null for any
 * @param timestamp of the event
 * @param arrival when the event was stored
 * @param payload all of these
 */
record EventFilter(
        List<String> topics, @Nullable String source, Period timestamp, Period arrival, List<PayloadValue> payload) {
    private static final int MAX_TOPICS = 100;
    private static final int MAX_PAYLOAD_VALUES = 10;
    private static final Set<String> NAMES = Set.of("topic", "source", "from", "to", "since", "until");

    /**
     * A time from a first instant, which belongs to it, to a last, which does not.
     *
     * @param start null for ever
     * @param end null for ever
     */
    record Period(@Nullable Instant start, @Nullable Instant end) {}

    /** What stands in a payload at a path. */
    record PayloadValue(PayloadPath path, String text) {}

    /**
     * Reads the parameters of a query.
     *
     * @param others the names of those that say something else than which events to give
     * @throws Refusal if one is unknown, stands there too often or makes no sense (422)
     */
    static EventFilter of(MultiValueMap<String, String> parameters, Set<String> others) {
        List<PayloadValue> payload = new ArrayList<>();
        for (String name : parameters.keySet()) {
            if (PayloadPath.isNamedBy(name)) {
                if (payload.size() == MAX_PAYLOAD_VALUES) {
                    throw Paging.invalid(name, "must not be more than " + MAX_PAYLOAD_VALUES + " values of a payload");
                }
                payload.add(new PayloadValue(PayloadPath.of(name), text(parameters, name)));
            } else if (!NAMES.contains(name) && !others.contains(name)) {
                throw unknown(name);
            }
        }
        String source = single(parameters, "source");
        if (source != null) {
            EventKey.checkName("source", source);
        }
        return new EventFilter(
                topics(parameters),
                source,
                new Period(instant(parameters, "from"), instant(parameters, "to")),
                new Period(instant(parameters, "since"), instant(parameters, "until")),
                payload);
    }

    static Refusal unknown(String name) {
        return Paging.invalid(name, "is no parameter that is known here");
    }

    /**
     * The topics that are asked for.
     *
     * @throws Refusal if one can't be a topic, or there are too many (422)
     */
    static List<String> topics(MultiValueMap<String, String> parameters) {
        List<String> topics =
                parameters.getOrDefault("topic", List.of()).stream().distinct().toList();
        topics.forEach(topic -> EventKey.checkName("topic", topic));
        if (topics.size() > MAX_TOPICS) {
            throw Paging.invalid("topic", "must not be more than " + MAX_TOPICS);
        }
        return topics;
    }

    /**
     * The value of a parameter; null if it is not there.
     *
     * @throws Refusal if there is more than one (422)
     */
    static @Nullable String single(MultiValueMap<String, String> parameters, String name) {
        List<String> values = parameters.getOrDefault(name, List.of());
        if (values.size() > 1) {
            throw Paging.invalid(name, "must not stand there more than once");
        }
        return values.isEmpty() ? null : values.getFirst();
    }

    private static @Nullable Instant instant(MultiValueMap<String, String> parameters, String name) {
        String text = single(parameters, name);
        try {
            return text == null ? null : Timestamps.parse(name, text);
        } catch (InvalidEventException e) {
            throw Paging.invalid(name, e.faults().getFirst().message());
        }
    }

    private static String text(MultiValueMap<String, String> parameters, String name) {
        String text = single(parameters, name);
        if (text == null || text.indexOf('\0') >= 0) {
            throw Paging.invalid(name, "must not hold the character NUL, as no payload does");
        }
        return text;
    }
}
