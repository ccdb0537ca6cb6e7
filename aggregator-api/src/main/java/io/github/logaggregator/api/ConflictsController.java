package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreConflicts.Conflict;
import io.github.logaggregator.api.EventStoreConflicts.Page;
import io.github.logaggregator.model.EventParser;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code GET /events/{topic}/{event_id}/conflicts}: what came under the key of a stored event with another content.
 *
 * <p>Topic and event_id stand in the path percent-encoded (RFC 3986), a slash as {@code %2F}. Clients and servers take away
 * what is one dot or two, even if it is encoded, so the same can be asked for by parameters.
 */
@RestController
class ConflictsController {
    private static final String NEWEST = "" + Long.MAX_VALUE;

    private final EventStoreConflicts store;

    ConflictsController(EventStoreConflicts store) {
        this.store = store;
    }

    @GetMapping(path = "/events/{topic}/{event_id}/conflicts", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Conflict>> conflictsByPath(
            @PathVariable("topic") String topic,
            @PathVariable("event_id") String eventId,
            @RequestParam(defaultValue = NEWEST) long cursor,
            HttpServletRequest request) {
        // What follows it is a parameter of the path, which no name is: it would be left out in silence.
        if (request.getRequestURI().indexOf(';') >= 0) {
            throw Refusal.malformed("A semicolon of a topic or an event_id must be written as %3B.");
        }
        return conflicts(topic, eventId, cursor);
    }

    @GetMapping(path = "/events/conflicts", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Conflict>> conflicts(
            @RequestParam("topic") String topic,
            @RequestParam("event_id") String eventId,
            @RequestParam(defaultValue = NEWEST) long cursor) {
        checkName("topic", topic);
        checkName("event_id", eventId);
        Page page = store.read(topic, eventId, cursor);
        return Paging.answer(page.conflicts(), page.next());
    }

    private static void checkName(String parameter, String name) {
        EventParser.faultOfName(name).ifPresent(fault -> {
            throw Paging.invalid(parameter, fault);
        });
    }
}
