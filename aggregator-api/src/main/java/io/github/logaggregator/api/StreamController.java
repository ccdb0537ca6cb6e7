package io.github.logaggregator.api;

import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.api.EventFeed.EndedException;
import io.github.logaggregator.api.Subscriber.Message;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.MediaType;
import org.springframework.security.core.annotation.AuthenticationPrincipal;
import org.springframework.util.MultiValueMap;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code GET /events/stream}: events as they arrive, as Server-Sent Events (WHATWG HTML, 9.2). The id of each is its place in
 * the order of arrival; a client that comes again with the last one it got, as browsers do by themselves, misses nothing.
 */
@RestController
class StreamController {
    private static final Set<String> NAMES = Set.of("topic", "after");

    /** Before PostgreSQL is asked again, which did not answer. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private static final byte[] HEARTBEAT = ascii(":\n\n");
    private static final byte[] ID = ascii("id: ");
    private static final byte[] DATA = ascii("\ndata: ");
    private static final byte[] END = ascii("\n\n");

    private final EventFeed feed;
    private final ApiKeys keys;
    private final ApiProperties.Subscribers properties;

    StreamController(EventFeed feed, ApiKeys keys, ApiProperties properties) {
        this.feed = feed;
        this.keys = keys;
        this.properties = properties.subscribers();
    }

    /** Writes until the client or this process goes, or the key is not valid any more; the thread is a virtual one. */
    @GetMapping(path = "/events/stream", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
    void stream(
            @RequestParam MultiValueMap<String, String> parameters,
            @RequestHeader(name = "Last-Event-ID", required = false) @Nullable String lastEventId,
            @AuthenticationPrincipal ApiKey key,
            HttpServletRequest request,
            HttpServletResponse response)
            throws InterruptedException {
        for (String name : parameters.keySet()) {
            if (!NAMES.contains(name)) {
                throw EventFilter.unknown(name);
            }
        }
        Set<String> topics = Set.copyOf(EventFilter.topics(parameters));
        String after = EventFilter.single(parameters, "after");
        // A browser repeats its URL, with the header, when it comes again.
        Place begin = lastEventId == null ? place("after", after) : place("Last-Event-ID", lastEventId);
        try (Subscriber subscriber = feed.subscribe(topics, begin)) {
            byte[] beginning = ascii("retry: %d\nid: %s\n\n".formatted(retryMillis(), subscriber.place()));
            // What can be refused is, before anything is sent.
            List<Message> messages = subscriber.next(Duration.ZERO);
            response.setContentType(MediaType.TEXT_EVENT_STREAM_VALUE + ";charset=UTF-8");
            response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
            response.setHeader("X-Accel-Buffering", "no"); // what nginx asks for, so as not to hold it back
            if (HttpMethod.HEAD.matches(request.getMethod())) {
                return;
            }
            OutputStream out = response.getOutputStream();
            out.write(beginning);
            while (keys.isValid(key)) {
                write(messages, out);
                messages = next(subscriber);
            }
        } catch (IOException e) {
            // The client has gone.
        } catch (EndedException e) {
            if (!response.isCommitted()) {
                // A browser takes an answer that is no stream for the last word, but comes again when the connection
                // breaks.
                ProblemReportValve.breakOff(request);
            }
        }
    }

    private List<Message> next(Subscriber subscriber) throws InterruptedException, EndedException {
        try {
            return subscriber.next(properties.heartbeat());
        } catch (Refusal e) {
            Thread.sleep(PAUSE);
            return List.of();
        }
    }

    private static void write(List<Message> messages, OutputStream out) throws IOException {
        for (Message message : messages) {
            out.write(ID);
            out.write(ascii(message.place().toString()));
            out.write(DATA);
            out.write(message.json());
            out.write(END);
        }
        if (messages.isEmpty()) {
            out.write(HEARTBEAT);
        }
        out.flush();
    }

    private static @Nullable Place place(String parameter, @Nullable String text) {
        try {
            return text == null ? null : Place.parse(text);
        } catch (IllegalArgumentException e) {
            throw Paging.invalid(parameter, "must be the id of an event of the stream, or 0-0 for the beginning");
        }
    }

    /** When the client is to reconnect: not all at the same moment. */
    private static int retryMillis() {
        return ThreadLocalRandom.current().nextInt(1_000, 3_000);
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
