package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreConflicts.Conflict;
import io.github.logaggregator.api.EventStoreConflicts.Page;
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
        return conflicts(EventKey.inPath(topic, eventId, request), cursor);
    }

    @GetMapping(path = "/events/conflicts", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Conflict>> conflictsByParameters(
            @RequestParam("topic") String topic,
            @RequestParam("event_id") String eventId,
            @RequestParam(defaultValue = NEWEST) long cursor) {
        return conflicts(EventKey.of(topic, eventId), cursor);
    }

    private ResponseEntity<List<Conflict>> conflicts(EventKey key, long cursor) {
        Page page = store.read(key, cursor);
        return Paging.answer(page.conflicts(), page.next());
    }
}
