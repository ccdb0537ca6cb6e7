package io.github.logaggregator.api;

import io.github.logaggregator.model.QueueEntry;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.SentEvent;
import io.github.logaggregator.model.TraceParent;
import io.micrometer.tracing.TraceContext;
import io.micrometer.tracing.Tracer;
import jakarta.annotation.PreDestroy;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.stereotype.Component;

/**
 * Puts events on the Redis list, all those of a request or none, as long as the queue has room for them.
 *
 * <p>Requests that come while Redis is at work go together in the next command, and their events in the same entries of the
 * list, so that they share its round trip and the sync of its file (group commit).
 */
@Component
class EventQueueWriter {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final RedisScript<Long> ENQUEUE = RedisScript.of(ResourceText.of("redis/enqueue.lua"), Long.class);

    /** A group ends with the request that reaches this: Redis does nothing else while it takes one. */
    private static final long GROUP_BYTES = 1 << 20;

    private final RedisTemplate<String, byte[]> redis;
    private final StoreAccess redisAccess;
    private final ApiProperties properties;
    private final Clock clock;
    private final Tracer tracer;
    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private final ExecutorService sender = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("enqueue").factory());

    EventQueueWriter(
            RedisTemplate<String, byte[]> redis,
            StoreAccess redisAccess,
            ApiProperties properties,
            Clock clock,
            Tracer tracer) {
        this.redis = redis;
        this.redisAccess = redisAccess;
        this.properties = properties;
        this.clock = clock;
        this.tracer = tracer;
    }

    /**
     * A request's events on their way to Redis.
     *
     * @param lines the events, as they will lie there
     * @param bytes that they take at most, in entries of their own
     * @param queued done with whether they were queued
     */
    private record Waiting(List<byte[]> lines, long bytes, CompletableFuture<Boolean> queued) {
        boolean isNoSmallerThan(Waiting other) {
            return lines.size() >= other.lines.size() && bytes >= other.bytes;
        }
    }

    /**
     * Queues the events; when it returns they are on Redis' disk.
     *
     * @param waiting the request that waits for their outcome; null if none does
     * @throws Refusal if they are too large to ever fit (413), if the queue or Redis' memory is full (429), or if Redis
     *     did not answer (503), in which case they may have been queued all the same: sent again, they are duplicates
     */
    void enqueue(List<SentEvent> events, @Nullable WaitingRequest waiting) {
        Instant receivedAt = clock.instant();
        TraceParent span = currentSpan();
        List<byte[]> lines = new ArrayList<>(events.size());
        long bytes = 0;
        for (SentEvent event : events) {
            byte[] line = QueuedEvent.encode(
                    receivedAt, waiting == null ? null : waiting.replyTo(lines.size()), span, event.json());
            if (line.length > properties.maxEventSize().toBytes()) {
                throw Refusal.tooLarge("Event " + lines.size() + " is larger than "
                        + properties.maxEventSize().toBytes() + " bytes (api.max-event-size). Nothing was taken.");
            }
            lines.add(line);
            bytes += line.length + QueueEntry.OVERHEAD;
        }
        long maxEvents = properties.queue().maxEvents();
        long maxBytes = properties.queue().maxSize().toBytes();
        if (events.size() > maxEvents || bytes > maxBytes) {
            throw Refusal.tooLarge("The request is larger than the whole queue may be (" + maxEvents + " events, "
                    + maxBytes + " bytes: api.queue). Nothing was taken.");
        }
        if (!send(new Waiting(lines, bytes, new CompletableFuture<>()))) {
            throw full("The queue is full.");
        }
    }

    /** The span of the request, made of what the tracer knows and never of a header; null if it is not sampled. */
    private @Nullable TraceParent currentSpan() {
        TraceContext span = tracer.currentTraceContext().context();
        return span != null && Boolean.TRUE.equals(span.sampled())
                ? new TraceParent(span.traceId(), span.spanId())
                : null;
    }

    private boolean send(Waiting request) {
        waiting.add(request);
        sender.execute(this::sendGroup);
        try {
            return request.queued().join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof Refusal refusal ? refusal : e;
        }
    }

    /** Sends what waits; for most requests somebody has done that by now. */
    private void sendGroup() {
        List<Waiting> group = new ArrayList<>();
        long bytes = 0;
        for (Waiting next = waiting.poll(); next != null; next = bytes < GROUP_BYTES ? waiting.poll() : null) {
            group.add(next);
            bytes += next.bytes();
        }
        if (group.isEmpty()) {
            return;
        }
        try {
            if (run(group)) {
                group.forEach(request -> request.queued().complete(true));
            } else {
                sendEach(group);
            }
        } catch (RuntimeException e) {
            // What came meanwhile would wait for the same answer of Redis, only longer.
            for (Waiting next = waiting.poll(); next != null; next = waiting.poll()) {
                group.add(next);
            }
            group.forEach(request -> request.queued().completeExceptionally(e));
        }
    }

    /** Sends the requests of a group for which there was no room together. */
    private void sendEach(List<Waiting> group) {
        @Nullable Waiting refused = group.size() == 1 ? group.getFirst() : null;
        for (Waiting request : group) {
            // Where one did not fit, no larger one is tried: a full queue must not cost more than one with room.
            if (refused != null && request.isNoSmallerThan(refused)) {
                request.queued().complete(false);
            } else {
                boolean queued = run(List.of(request));
                request.queued().complete(queued);
                refused = queued ? refused : request;
            }
        }
    }

    private boolean run(List<Waiting> group) {
        List<byte[]> lines =
                group.stream().flatMap(request -> request.lines().stream()).toList();
        List<byte[]> arguments = new ArrayList<>();
        arguments.add(bytes(properties.queue().maxEvents()));
        arguments.add(bytes(properties.queue().maxSize().toBytes()));
        arguments.add(bytes(lines.size()));
        addEntries(arguments, lines);
        Long queued = redisAccess.ask(() -> {
            try {
                return redis.execute(ENQUEUE, List.of(KEYS.queue(), KEYS.counters()), arguments.toArray());
            } catch (DataAccessException e) {
                // Redis refuses whatever may grow, before it does anything, once it is at its maxmemory.
                if (String.valueOf(NestedExceptionUtils.getMostSpecificCause(e).getMessage())
                        .startsWith("OOM")) {
                    throw full("The queue's memory is full.");
                }
                throw e;
            }
        });
        return queued == 1;
    }

    private static void addEntries(List<byte[]> arguments, List<byte[]> lines) {
        int first = 0;
        long bytes = 0;
        for (int i = 0; i < lines.size(); i++) {
            bytes += lines.get(i).length;
            if (i + 1 == lines.size() || i + 1 - first == QueueEntry.MAX_EVENTS || bytes >= QueueEntry.FULL_BYTES) {
                arguments.add(QueueEntry.encode(lines.subList(first, i + 1)));
                first = i + 1;
                bytes = 0;
            }
        }
    }

    private Refusal full(String detail) {
        return Refusal.queueFull(detail + " Nothing was taken; send it again later.", properties.retryAfter());
    }

    private static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    @PreDestroy
    void close() {
        sender.close();
    }
}
