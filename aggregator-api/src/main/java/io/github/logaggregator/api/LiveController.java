package io.github.logaggregator.api;

import io.github.logaggregator.api.EventFeed.EndedException;
import io.github.logaggregator.api.LiveTail.Look;
import io.github.logaggregator.api.Sampler.Sampling;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code GET /live}: all that the live page shows, as Server-Sent Events: the samples of the last minutes at once, then each
 * new one, and what has changed beside it. Nothing is queued for a page that is slow: it gets the newest when it comes to that.
 */
@RestController
class LiveController {
    /** How often something is sent although there is no new sample, as while a store hangs. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(5);

    private final Sampler sampler;
    private final EventStoreArrivals store;
    private final JsonMapper json;
    private final ApiKeys keys;
    private final ApiProperties properties;
    private final Semaphore places;

    /** Of the pages, which all wake at the same sample, one looks for new events at a time: connections are for others, too. */
    private final Semaphore looking = new Semaphore(1, true);

    LiveController(Sampler sampler, EventStoreArrivals store, JsonMapper json, ApiKeys keys, ApiProperties properties) {
        this.sampler = sampler;
        this.store = store;
        this.json = json;
        this.keys = keys;
        this.properties = properties;
        this.places = new Semaphore(properties.maxPages());
    }

    /** Writes until the client or this process goes, or the key is not valid any more; the thread is a virtual one. */
    @GetMapping(path = "/live", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    void live(
            @RequestParam MultiValueMap<String, String> parameters,
            @AuthenticationPrincipal ApiKey key,
            HttpServletRequest request,
            HttpServletResponse response)
            throws InterruptedException {
        for (String name : parameters.keySet()) {
            if (!name.equals("topic")) {
                throw EventFilter.unknown(name);
            }
        }
        Set<String> topics = Set.copyOf(EventFilter.topics(parameters));
        if (!places.tryAcquire()) {
            throw Refusal.unavailable(
                    "There are " + properties.maxPages() + " pages already (api.max-pages).", properties.retryAfter());
        }
        try {
            response.setContentType(MediaType.TEXT_EVENT_STREAM_VALUE + ";charset=UTF-8");
            response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
            response.setHeader("X-Accel-Buffering", "no"); // what nginx asks for, so as not to hold it back
            if (!HttpMethod.HEAD.matches(request.getMethod())) {
                write(response.getOutputStream(), topics, key);
            }
        } catch (IOException | EndedException e) {
            // The client has gone, or this process is about to.
        } finally {
            places.release();
        }
    }

    private void write(OutputStream out, Set<String> topics, ApiKey key)
            throws IOException, InterruptedException, EndedException {
        LiveTail tail = new LiveTail(store, topics);
        List<Sample> history = sampler.history();
        long number = history.isEmpty() ? 0 : history.getLast().number() - 1;
        Map<String, Object> told = new HashMap<>();
        send(out, "history", history);
        out.flush();
        while (keys.isValid(key)) {
            Sampling sampling = sampler.next(number, HEARTBEAT);
            if (sampling == null) {
                out.write(":\n\n".getBytes(StandardCharsets.US_ASCII));
            } else {
                number = sampling.sample().number();
                send(out, "sample", sampling.sample());
                sendIfNew(out, told, "topics", sampling.topics());
                sendIfNew(out, told, "workers", sampling.workers());
                sendIfNew(out, told, "dead_letters", sampling.deadLetters());
                sendEvents(out, tail, sampling);
            }
            out.flush();
        }
    }

    private void sendEvents(OutputStream out, LiveTail tail, Sampling sampling)
            throws IOException, InterruptedException {
        if (sampling.sample().books() == null || !looking.tryAcquire(HEARTBEAT.toNanos(), TimeUnit.NANOSECONDS)) {
            return;
        }
        Look look;
        try {
            look = tail.look(sampling);
        } catch (Refusal e) {
            return; // PostgreSQL has gone since; the next sample says so.
        } finally {
            looking.release();
        }
        if (!look.events().isEmpty()) {
            send(out, "events", look);
        }
    }

    private void sendIfNew(OutputStream out, Map<String, Object> told, String name, @Nullable Object data)
            throws IOException {
        if (data != null && !data.equals(told.put(name, data))) {
            send(out, name, data);
        }
    }

    private void send(OutputStream out, String name, Object data) throws IOException {
        out.write(("event: " + name + "\ndata: ").getBytes(StandardCharsets.US_ASCII));
        out.write(json.writeValueAsBytes(data));
        out.write("\n\n".getBytes(StandardCharsets.US_ASCII));
    }
}
