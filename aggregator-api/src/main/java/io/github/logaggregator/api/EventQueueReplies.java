package io.github.logaggregator.api;

import io.github.logaggregator.model.Outcome;
import io.github.logaggregator.model.PublishResponse;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.ReplyAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.SmartLifecycle;
import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.stream.ByteRecord;
import org.springframework.data.redis.connection.stream.ReadOffset;
import org.springframework.data.redis.connection.stream.StreamOffset;
import org.springframework.data.redis.connection.stream.StreamReadOptions;
import org.springframework.stereotype.Component;

/**
 * Gives the requests that wait the outcomes that workers report, and bounds how many wait. One thread listens for all of
 * them, on a connection of its own; while none waits, nothing is asked of Redis.
 *
 * <p>The replies lie in a stream, where they stay for as long as anybody waits. What comes while the connection is broken
 * is read afterwards.
 */
@Component
class EventQueueReplies implements SmartLifecycle {
    private static final String BEGINNING = "0-0";
    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(ReplyAddress.MAX_WAIT_SECONDS);
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final int REPLIES_AT_ONCE = 100;

    private final RedisConnectionFactory connections;
    private final StoreAccess redisAccess;
    private final PublishMetrics metrics;
    private final ApiProperties properties;
    private final StreamReadOptions readOptions;
    private final String api = UUID.randomUUID().toString();
    private final byte[] replies = QueueKeys.FIRST.replies(api).getBytes(StandardCharsets.US_ASCII);
    private final AtomicLong lastNumber = new AtomicLong();
    private final Map<Long, WaitingRequest> waiting = new ConcurrentHashMap<>();
    private final Semaphore places;
    private final Thread listener = Thread.ofPlatform().name("replies").unstarted(this::listen);
    private volatile boolean stopping;

    EventQueueReplies(
            RedisConnectionFactory connections,
            StoreAccess redisAccess,
            PublishMetrics metrics,
            ApiProperties properties,
            @Value("${spring.data.redis.timeout}") Duration timeout) {
        this.connections = connections;
        this.redisAccess = redisAccess;
        this.metrics = metrics;
        this.properties = properties;
        this.places = new Semaphore(properties.maxWaiting());
        // A command that blocks for longer than one may take would pass for one that is not answered.
        this.readOptions = StreamReadOptions.empty().count(REPLIES_AT_ONCE).block(timeout.dividedBy(2));
        metrics.gaugeWaiting(waiting::size);
    }

    /**
     * Lets a request wait from now on, before its events are queued.
     *
     * @throws Refusal if too many wait already (503)
     */
    WaitingRequest await(PublishResponse queued, Duration patience) {
        if (!places.tryAcquire()) {
            throw Refusal.unavailable(
                    properties.maxWaiting() + " requests wait already (api.max-waiting). Nothing was taken; it would be"
                            + " without the parameter wait.",
                    properties.retryAfter());
        }
        WaitingRequest request = new WaitingRequest(api, lastNumber.incrementAndGet(), queued);
        long start = System.nanoTime();
        waiting.put(request.number(), request);
        CompletableFuture<Boolean> unused = request.settled().whenComplete((settled, refusal) -> {
            waiting.remove(request.number());
            places.release();
            if (refusal == null) {
                metrics.waited(settled, System.nanoTime() - start);
            }
        });
        request.waitAtMost(patience);
        LockSupport.unpark(listener);
        if (stopping) {
            request.giveUp();
        }
        return request;
    }

    @Override
    public void start() {
        listener.start();
    }

    /** Ends every wait, which comes before the server waits for its requests to end. */
    @Override
    public void stop() {
        stopping = true;
        waiting.values().forEach(WaitingRequest::giveUp);
        LockSupport.unpark(listener);
        try {
            listener.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public boolean isRunning() {
        return listener.isAlive();
    }

    private void listen() {
        @Nullable RedisConnection connection = null;
        String position = BEGINNING;
        long lastReply = System.nanoTime();
        while (!stopping) {
            if (waiting.isEmpty()) {
                LockSupport.park(this);
                continue;
            }
            if (System.nanoTime() - lastReply > MAX_WAIT_NANOS) {
                // The stream may have expired, and one that is begun anew may begin before, if the clock was set back.
                position = BEGINNING;
            }
            try {
                if (connection == null) {
                    connection = connections.getConnection();
                }
                for (ByteRecord reply : read(connection, position)) {
                    position = reply.getId().getValue();
                    lastReply = System.nanoTime();
                    reply.getValue().forEach(this::pass);
                }
            } catch (RuntimeException e) {
                // An outage was told, and until it is over the replies wait in Redis. One that none of ours wrote is
                // skipped.
                LockSupport.parkNanos(PAUSE_NANOS);
            }
        }
        if (connection != null) {
            connection.close();
        }
    }

    @SuppressWarnings("unchecked") // an array of what is generic, which xRead asks for
    private List<ByteRecord> read(RedisConnection connection, String position) {
        return redisAccess.ask(() -> connection
                .streamCommands()
                .xRead(readOptions, StreamOffset.create(replies, ReadOffset.from(position))));
    }

    private void pass(byte[] event, byte[] outcome) {
        ReplyAddress address = ReplyAddress.parse(api + ":" + text(event));
        WaitingRequest request = waiting.get(address.request());
        if (request != null) {
            request.reply(address.index(), Outcome.of(text(outcome)));
        }
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.US_ASCII);
    }
}
