package io.github.logaggregator.api;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueEntry;
import io.github.logaggregator.model.QueueKeys;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.stereotype.Component;

/** Puts events on the Redis list, all those of a request or none, as long as the queue has room for them. */
@Component
class EventQueueWriter {
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final RedisScript<Long> ENQUEUE = RedisScript.of(ResourceText.of("redis/enqueue.lua"), Long.class);

    private final RedisTemplate<String, byte[]> redis;
    private final StoreAccess redisAccess;
    private final ApiProperties properties;
    private final Clock clock;

    EventQueueWriter(
            RedisTemplate<String, byte[]> redis, StoreAccess redisAccess, ApiProperties properties, Clock clock) {
        this.redis = redis;
        this.redisAccess = redisAccess;
        this.properties = properties;
        this.clock = clock;
    }

    /**
     * Queues the events; when it returns they are on Redis' disk.
     *
     * @throws Refusal if they are too large to ever fit (413), if the queue or Redis' memory is full (429), or if Redis
     *     did not answer (503), in which case they may have been queued all the same: sent again, they are duplicates
     */
    void enqueue(List<Event> events) {
        Instant receivedAt = clock.instant();
        byte[][] arguments = new byte[events.size() + 3][];
        long bytes = 0;
        int i = 3;
        for (Event event : events) {
            byte[] entry = QueueEntry.of(receivedAt, event).encode();
            if (entry.length > properties.maxEventSize().toBytes()) {
                throw Refusal.tooLarge("Event " + (i - 3) + " is larger than "
                        + properties.maxEventSize().toBytes() + " bytes (api.max-event-size). Nothing was taken.");
            }
            arguments[i++] = entry;
            bytes += entry.length;
        }
        long maxEvents = properties.queue().maxEvents();
        long maxBytes = properties.queue().maxSize().toBytes();
        if (events.size() > maxEvents || bytes > maxBytes) {
            throw Refusal.tooLarge("The request is larger than the whole queue may be (" + maxEvents + " events, "
                    + maxBytes + " bytes: api.queue). Nothing was taken.");
        }
        arguments[0] = bytes(maxEvents);
        arguments[1] = bytes(maxBytes);
        arguments[2] = bytes(bytes);
        if (run(arguments) == 0) {
            throw full("The queue is full.");
        }
    }

    private long run(byte[][] arguments) {
        return redisAccess.ask(() -> {
            try {
                return redis.execute(ENQUEUE, List.of(KEYS.queue(), KEYS.counters()), (Object[]) arguments);
            } catch (DataAccessException e) {
                // Redis refuses whatever may grow, before it does anything, once it is at its maxmemory.
                if (String.valueOf(NestedExceptionUtils.getMostSpecificCause(e).getMessage())
                        .startsWith("OOM")) {
                    throw full("The queue's memory is full.");
                }
                throw e;
            }
        });
    }

    private Refusal full(String detail) {
        return Refusal.queueFull(detail + " Nothing was taken; send it again later.", properties.retryAfter());
    }

    private static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }
}
