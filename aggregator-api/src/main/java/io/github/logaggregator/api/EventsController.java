package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreReader.Cursor;
import io.github.logaggregator.api.EventStoreReader.Page;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventParser;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** {@code GET /events}: stored events, newest first, with a link to the next page (RFC 8288). */
@RestController
class EventsController {
    private final EventStoreReader store;

    EventsController(EventStoreReader store) {
        this.store = store;
    }

    @GetMapping(path = "/events", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Event>> events(
            @RequestParam(required = false) @Nullable String topic,
            @RequestParam(defaultValue = Paging.DEFAULT_LIMIT) int limit,
            @RequestParam(required = false) @Nullable String cursor) {
        Paging.checkLimit(limit);
        if (topic != null) {
            EventParser.faultOfName(topic).ifPresent(fault -> {
                throw Paging.invalid("topic", fault);
            });
        }
        Page page = store.read(topic, parse(cursor), limit);
        return Paging.answer(page.events(), page.next());
    }

    private static @Nullable Cursor parse(@Nullable String cursor) {
        try {
            return cursor == null ? null : Cursor.parse(cursor);
        } catch (IllegalArgumentException e) {
            throw Paging.invalid("cursor", "must come from the link to a next page");
        }
    }
}
