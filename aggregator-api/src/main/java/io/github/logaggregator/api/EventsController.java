package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreReader.Cursor;
import io.github.logaggregator.api.EventStoreReader.Page;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventParser;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;

/** {@code GET /events}: stored events, newest first, with a link to the next page (RFC 8288). */
@RestController
class EventsController {
    private static final int MAX_LIMIT = 1_000;

    private final EventStoreReader store;

    EventsController(EventStoreReader store) {
        this.store = store;
    }

    @GetMapping(path = "/events", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Event>> events(
            @RequestParam(required = false) @Nullable String topic,
            @RequestParam(defaultValue = "100") int limit,
            @RequestParam(required = false) @Nullable String cursor) {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw invalid("limit", "must be 1 to " + MAX_LIMIT);
        }
        if (topic != null) {
            EventParser.faultOfName(topic).ifPresent(fault -> {
                throw invalid("topic", fault);
            });
        }
        Page page = store.read(topic, parse(cursor), limit);
        ResponseEntity.BodyBuilder response = ResponseEntity.ok();
        if (page.next() != null) {
            String next = ServletUriComponentsBuilder.fromCurrentRequest()
                    .replaceQueryParam("cursor", page.next())
                    .build() // as it was sent: it is encoded already
                    .toUriString();
            response.header(HttpHeaders.LINK, "<" + next + ">; rel=\"next\"");
        }
        return response.body(page.events());
    }

    private static @Nullable Cursor parse(@Nullable String cursor) {
        try {
            return cursor == null ? null : Cursor.parse(cursor);
        } catch (IllegalArgumentException e) {
            throw invalid("cursor", "must come from the link to a next page");
        }
    }

    private static Refusal invalid(String field, String message) {
        return Refusal.invalid(
                "The parameter " + field + " is not valid.", List.of(Map.of("field", field, "message", message)));
    }
}
