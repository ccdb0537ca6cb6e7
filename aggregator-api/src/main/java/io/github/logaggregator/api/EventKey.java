package io.github.logaggregator.api;

import io.github.logaggregator.model.EventParser;
import jakarta.servlet.http.HttpServletRequest;

/**
 * The key of an event that a request asks for, in a path or by parameters.
 *
 * <p>In a path, topic and event_id stand percent-encoded (RFC 3986), a slash as {@code %2F}. Clients and servers take away what
 * is one dot or two, even if it is encoded, so each can be asked for by parameters, too.
 */
record EventKey(String topic, String eventId) {
    /** @throws Refusal if there can be no such event (422) */
    static EventKey of(String topic, String eventId) {
        checkName("topic", topic);
        checkName("event_id", eventId);
        return new EventKey(topic, eventId);
    }

    /** @throws Refusal if there can be no such event (422), or the path has more than its parts (400) */
    static EventKey inPath(String topic, String eventId, HttpServletRequest request) {
        // What follows it is a parameter of the path, which no name is: it would be left out in silence.
        if (request.getRequestURI().indexOf(';') >= 0) {
            throw Refusal.malformed("A semicolon of a topic or an event_id must be written as %3B.");
        }
        return of(topic, eventId);
    }

    /** @throws Refusal if no topic, event_id or source can be so (422) */
    static void checkName(String parameter, String name) {
        EventParser.faultOfName(name).ifPresent(fault -> {
            throw Paging.invalid(parameter, fault);
        });
    }

    static Refusal notStored() {
        return Refusal.notFound("There is no such event.");
    }
}
