package io.github.logaggregator.api;

import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.api.EventStoreReader.Page;
import io.github.logaggregator.model.Event;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** {@code /events}: stored events, one, or those of a filter, with a link to the next page (RFC 8288). */
@RestController
class EventsController {
    private static final Set<String> BESIDES = Set.of("limit", "order", "cursor", "event_id");

    private final EventStoreReader store;

    EventsController(EventStoreReader store) {
        this.store = store;
    }

    @GetMapping(path = "/events", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Event>> events(
            @RequestParam MultiValueMap<String, String> parameters,
            @RequestParam(defaultValue = Paging.DEFAULT_LIMIT) int limit) {
        EventFilter filter = EventFilter.of(parameters, BESIDES);
        EventFilter.single(parameters, "limit");
        Paging.checkLimit(limit);
        boolean ascending = isAscending(EventFilter.single(parameters, "order"));
        Place cursor = parse(EventFilter.single(parameters, "cursor"));
        ArrivalRange range = ascending ? store.oldestFirst() : ArrivalRange.NEWEST_FIRST;
        Page page = store.read(filter, range.from(cursor), limit);
        return Paging.answer(page.events(), page.next());
    }

    /** For names that can't stand in a path. */
    @GetMapping(path = "/events", params = "event_id", produces = MediaType.APPLICATION_JSON_VALUE)
    List<Event> eventByParameters(@RequestParam MultiValueMap<String, String> parameters) {
        EventFilter filter = EventFilter.of(parameters, BESIDES);
        if (filter.topics().size() != 1 || parameters.size() != 2) {
            throw Paging.invalid("event_id", "must stand beside one topic, and nothing else");
        }
        String eventId = Objects.requireNonNull(EventFilter.single(parameters, "event_id"));
        return store.find(EventKey.of(filter.topics().getFirst(), eventId)).stream()
                .toList();
    }

    @GetMapping(path = "/events/{topic}/{event_id}", produces = MediaType.APPLICATION_JSON_VALUE)
    Event event(
            @PathVariable("topic") String topic, @PathVariable("event_id") String eventId, HttpServletRequest request) {
        return store.find(EventKey.inPath(topic, eventId, request)).orElseThrow(EventKey::notStored);
    }

    private static boolean isAscending(@Nullable String order) {
        if (order != null && !order.equals("asc") && !order.equals("desc")) {
            throw Paging.invalid("order", "must be asc or desc");
        }
        return "asc".equals(order);
    }

    private static @Nullable Place parse(@Nullable String cursor) {
        try {
            return cursor == null ? null : Place.parse(cursor);
        } catch (IllegalArgumentException e) {
            throw Paging.invalid("cursor", "must come from the link to a next page");
        }
    }
}
