package io.github.logaggregator.api;

import io.github.logaggregator.model.QueueKeys;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.stereotype.Component;

/** Hears from the workers when they have settled something, on a connection of its own; not all that they tell is heard. */
@Component
class EventQueueSettlements implements AutoCloseable {
    private static final byte[] CHANNEL = QueueKeys.FIRST.settlements().getBytes(StandardCharsets.US_ASCII);

    private final RedisConnectionFactory connections;
    private final StoreAccess redisAccess;
    private @Nullable RedisConnection connection;

    EventQueueSettlements(RedisConnectionFactory connections, StoreAccess redisAccess) {
        this.connections = connections;
        this.redisAccess = redisAccess;
    }

    /**
     * Listens from now on, if it did not before; also when the connection was broken and is there again.
     *
     * @param settled called on a thread that must not be held up
     * @throws Refusal if Redis did not answer (503)
     */
    synchronized void listen(Runnable settled) {
        if (connection == null) {
            connection = redisAccess.ask(() -> {
                RedisConnection listening = connections.getConnection();
                try {
                    listening.subscribe((message, pattern) -> settled.run(), CHANNEL);
                    return listening;
                } catch (RuntimeException e) {
                    listening.close();
                    throw e;
                }
            });
        }
    }

    @Override
    public synchronized void close() {
        if (connection != null) {
            connection.close();
        }
    }
}
