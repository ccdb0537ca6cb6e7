package io.github.logaggregator.api;

import io.github.logaggregator.api.EventStoreReader.Page;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.EventJson;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code GET /events.ndjson}: all events of a filter that are stored when it is asked for, the oldest first, one a line, as they can
 * be published again. What ends as HTTP wants it is whole.
 *
 * <p>It reads one page after the other, each in a transaction of its own, and writes it when that has ended, so that a slow client
 * costs the database nothing, and a large export costs no more memory than a small one.
 */
@RestController
class ExportController {
    private static final int PAGE_EVENTS = 1_000;

    /** How long PostgreSQL may fail to give the next page. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final int PAUSE_MILLIS = 200;

    private final EventStoreReader store;
    private final ApiKeys keys;
    private final Semaphore exports;
    private final Duration retryAfter;

    ExportController(EventStoreReader store, ApiKeys keys, ApiProperties properties) {
        this.store = store;
        this.keys = keys;
        this.exports = new Semaphore(properties.maxExports());
        this.retryAfter = properties.retryAfter();
    }

    @GetMapping(path = "/events.ndjson", produces = MediaType.APPLICATION_NDJSON_VALUE)
    void export(
            @RequestParam MultiValueMap<String, String> parameters,
            @AuthenticationPrincipal ApiKey key,
            HttpServletRequest request,
            HttpServletResponse response)
            throws InterruptedException {
        EventFilter filter = EventFilter.of(parameters, Set.of());
        if (!exports.tryAcquire()) {
            throw Refusal.unavailable("There are as many exports as there may be (api.max-exports).", retryAfter);
        }
        try {
            ArrivalRange range = store.oldestFirst();
            Page first = store.read(filter, range, PAGE_EVENTS);
            response.setContentType(MediaType.APPLICATION_NDJSON_VALUE);
            if (!HttpMethod.HEAD.matches(request.getMethod())) {
                write(filter, range, first, key, response.getOutputStream());
            }
        } catch (IOException e) {
            // Whoever asked is gone, or may not have the rest.
            ProblemReportValve.breakOff(request);
        } catch (Refusal e) {
            if (!response.isCommitted()) {
                response.reset();
                throw e;
            }
            ProblemReportValve.breakOff(request);
        } finally {
            exports.release();
        }
    }

    private void write(EventFilter filter, ArrivalRange range, Page first, ApiKey key, OutputStream out)
            throws IOException, InterruptedException {
        for (Page page = first; ; page = readPatiently(filter, range.from(page.next()))) {
            for (Event event : page.events()) {
                out.write(EventJson.write(event));
                out.write('\n');
            }
            if (page.next() == null) {
                return;
            }
            if (!keys.isValid(key)) {
                throw new IOException("The key is not valid any more.");
            }
        }
    }

    private Page readPatiently(EventFilter filter, ArrivalRange range) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                return store.read(filter, range, PAGE_EVENTS);
            } catch (Refusal e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        }
    }
}
