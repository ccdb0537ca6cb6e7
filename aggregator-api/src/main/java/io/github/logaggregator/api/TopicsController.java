package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreTopics.Page;
import io.github.logaggregator.api.EventStoreTopics.Topic;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.util.UriUtils;

/** {@code GET /topics}: what topics there are of those that the key is for, with their counts, in the order of their names. */
@RestController
class TopicsController {
    private final EventStoreTopics store;

    TopicsController(EventStoreTopics store) {
        this.store = store;
    }

    @GetMapping(path = "/topics", produces = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<List<Topic>> topics(
            @RequestParam(defaultValue = Paging.DEFAULT_LIMIT) int limit,
            @RequestParam(required = false) @Nullable String cursor,
            @AuthenticationPrincipal ApiKey key) {
        Paging.checkLimit(limit);
        if (cursor != null) {
            EventKey.checkName("cursor", cursor);
        }
        // The empty topic, which no event can have, stands for dead letters that nobody can read; it comes before all
        // others.
        Page page = store.read(key.topics(), cursor == null ? "" : cursor, limit);
        String next = page.next();
        return Paging.answer(page.topics(), next == null ? null : UriUtils.encode(next, StandardCharsets.UTF_8));
    }
}
