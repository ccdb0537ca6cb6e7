package io.github.logaggregator.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.github.logaggregator.api.EventStoreDeadLetters.DeadLetter;
import io.github.logaggregator.api.EventStoreDeadLetters.Page;
import java.util.List;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** {@code /dead-letters}: what could not be stored, and trying it again, which a worker does a moment later. */
@RestController
@RequestMapping(path = "/dead-letters", produces = MediaType.APPLICATION_JSON_VALUE)
class DeadLettersController {
    private final EventStoreDeadLetters store;

    DeadLettersController(EventStoreDeadLetters store) {
        this.store = store;
    }

    /**
     * The answer to a request for replays.
     *
     * @param requested for how many dead letters a worker will try again
     */
    record Replays(@JsonProperty("requested") int requested) {}

    @GetMapping
    ResponseEntity<List<DeadLetter>> deadLetters(
            @RequestParam(defaultValue = Paging.DEFAULT_LIMIT) int limit,
            @RequestParam(defaultValue = "" + Long.MAX_VALUE) long cursor) {
        Paging.checkLimit(limit);
        Page page = store.read(cursor, limit);
        return Paging.answer(page.deadLetters(), page.next());
    }

    @PostMapping("/{id}/replay")
    @ResponseStatus(HttpStatus.ACCEPTED)
    Replays replay(@PathVariable long id) {
        if (!store.requestReplay(id)) {
            throw Refusal.notFound("There is no dead letter " + id + ", or none any more.");
        }
        return new Replays(1);
    }

    @PostMapping("/replay")
    @ResponseStatus(HttpStatus.ACCEPTED)
    Replays replayAll() {
        return new Replays(store.requestReplays());
    }
}
