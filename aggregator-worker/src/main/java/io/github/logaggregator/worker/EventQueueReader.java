package io.github.logaggregator.worker;

import io.github.logaggregator.model.ClaimId;
import io.github.logaggregator.model.Outcome;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.ReplyAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.RedisListCommands.Direction;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.stereotype.Component;

/**
 * Takes entries off the Redis list without ever having them in this process alone: they stay in Redis, in a claim, until
 * they are acknowledged.
 */
@Component
class EventQueueReader {
    private static final Logger LOG = LoggerFactory.getLogger(EventQueueReader.class);
    private static final QueueKeys KEYS = QueueKeys.FIRST;
    private static final RedisScript<List<byte[]>> CLAIM = script("claim", List.class);
    private static final RedisScript<List<byte[]>> RESCUE = script("rescue", List.class);
    private static final RedisScript<Long> ACKNOWLEDGE = script("acknowledge", Long.class);
    private static final RedisScript<Long> REPLY = script("reply", Long.class);
    private static final RedisScript<Long> RENEW = script("renew", Long.class);
    private static final RedisScript<Long> HEARTBEAT = script("heartbeat", Long.class);
    private static final byte[] MAX_WAIT_MILLIS = bytes(ReplyAddress.MAX_WAIT_SECONDS * 1_000L);
    private static final long FORGET_WORKERS_AFTER_MILLIS = 86_400_000;

    private final RedisTemplate<String, byte[]> redis;
    private final WorkerProperties properties;
    private final Outage outage = new Outage("Redis");
    private final AtomicReference<Claimant> claimant = new AtomicReference<>(Claimant.create());

    EventQueueReader(RedisTemplate<String, byte[]> redis, WorkerProperties properties) {
        this.redis = redis;
        this.properties = properties;
    }

    /**
     * As whom a worker claims.
     *
     * @param nonce what no other worker has
     * @param lastClaim the number of the last claim that was made so; 0 if there is none
     */
    private record Claimant(String nonce, AtomicLong lastClaim) {
        static Claimant create() {
            return new Claimant(UUID.randomUUID().toString(), new AtomicLong());
        }
    }

    /** Of Redis, for all loops of a worker. */
    Outage outage() {
        return outage;
    }

    /** How often to look for claims whose lease ran out. */
    Duration rescueInterval() {
        return properties.rescueInterval();
    }

    /** Moves the oldest entries into a new claim of this worker; null if there are none. */
    @Nullable
    Claim claim() {
        Claimant mine = claimant.get();
        List<byte[]> reply = redis.execute(
                CLAIM,
                List.of(KEYS.queue(), KEYS.claims(), KEYS.counters(), KEYS.claimSizes()),
                bytes(properties.claimMaxEvents()),
                bytes(properties.claimMaxBytes().toBytes()),
                bytes(properties.lease().toMillis()),
                bytes(mine.nonce()),
                bytes(KEYS.claimPrefix()),
                bytes(mine.lastClaim().get()));
        if (reply != null && reply.isEmpty()) {
            if (claimant.compareAndSet(mine, Claimant.create())) {
                LOG.warn("Redis has given out fewer claims than this worker knows of: it was started on older files");
            }
            return claim();
        }
        Claim claim = claim(reply);
        if (claim != null) {
            mine.lastClaim().accumulateAndGet(claim.id().sequence(), Math::max);
        }
        return claim;
    }

    /** Whether a claim may have left something on the queue. */
    boolean isFull(Claim claim) {
        return claim.lines().size() >= properties.claimMaxEvents()
                || claim.bytes() >= properties.claimMaxBytes().toBytes();
    }

    /** Takes over a claim whose lease ran out, whoever had it; null if there is none. */
    @Nullable
    Claim rescue() {
        return claim(redis.execute(
                RESCUE, List.of(KEYS.claims()), bytes(properties.lease().toMillis()), bytes(KEYS.claimPrefix())));
    }

    /** Renews a claim's lease, for a worker that is still at it; null if the claim is not its own any more. */
    @Nullable
    Claim renew(Claim claim) {
        return renew(claim, properties.lease());
    }

    /** Ends a claim's lease, so that any worker may take the claim over at once. */
    void handBack(Claim claim) {
        renew(claim, Duration.ZERO);
    }

    private @Nullable Claim renew(Claim claim, Duration lease) {
        Long leaseEnd = redis.execute(
                RENEW,
                List.of(KEYS.claims()),
                bytes(claim.id().toString()),
                bytes(claim.leaseEnd().toEpochMilli()),
                bytes(lease.toMillis()));
        return leaseEnd == null || leaseEnd == 0 ? null : claim.until(Instant.ofEpochMilli(leaseEnd));
    }

    /**
     * Tells those who wait what has become of their events. To be done before the claim is acknowledged: if this worker dies
     * in between, whoever takes the claim over tells them again.
     */
    void reply(Map<ReplyAddress, Outcome> outcomes) {
        Map<String, List<byte[]>> byApi = new HashMap<>();
        outcomes.forEach((address, outcome) -> {
            List<byte[]> arguments =
                    byApi.computeIfAbsent(address.api(), api -> new ArrayList<>(List.of(MAX_WAIT_MILLIS)));
            arguments.add(bytes(address.request() + ":" + address.index()));
            arguments.add(bytes(outcome.toString()));
        });
        byApi.forEach((api, arguments) -> redis.execute(REPLY, List.of(KEYS.replies(api)), arguments.toArray()));
    }

    /** Drops a claim whose events are in PostgreSQL. It may be called again when the answer was lost. */
    void acknowledge(Claim claim) {
        Long acknowledged = redis.execute(
                ACKNOWLEDGE,
                List.of(KEYS.claims(), KEYS.counters(), KEYS.claimSizes(), KEYS.claimPrefix() + claim.id()),
                bytes(claim.id().toString()),
                bytes(claim.entries()),
                bytes(claim.lines().size()),
                bytes(claim.bytes()),
                bytes(KEYS.settlements()));
        if (acknowledged != null && acknowledged < 0) {
            LOG.error("Claim {} does not hold what was settled: somebody else writes to its list", claim.id());
        }
    }

    /** The ids of all claims that are not acknowledged. */
    List<String> openClaims() {
        return Objects.requireNonNull(redis.opsForZSet().range(KEYS.claims(), 0, -1)).stream()
                .map(EventQueueReader::text)
                .toList();
    }

    /** Tells that this worker lives. */
    void heartbeat() {
        redis.execute(
                HEARTBEAT, List.of(KEYS.workers()), bytes(claimant.get().nonce()), bytes(FORGET_WORKERS_AFTER_MILLIS));
    }

    /** A connection of its own, to wait on: one that blocks must not be shared. */
    Waiter waiter() {
        return new Waiter(redis.getRequiredConnectionFactory().getConnection(), properties);
    }

    /** Waits at an empty queue. */
    static final class Waiter implements AutoCloseable {
        private final RedisConnection connection;
        private final WorkerProperties properties;

        private Waiter(RedisConnection connection, WorkerProperties properties) {
            this.connection = connection;
            this.properties = properties;
        }

        /**
         * Blocks until there is an entry, at most {@code worker.wait-timeout}. The entry is moved onto its own place, so that
         * nothing leaves the list.
         */
        void await() {
            byte[] queue = bytes(KEYS.queue());
            connection
                    .listCommands()
                    .bLMove(
                            queue,
                            queue,
                            Direction.RIGHT,
                            Direction.RIGHT,
                            properties.waitTimeout().toMillis() / 1000.0);
        }

        @Override
        public void close() {
            connection.close();
        }
    }

    private static @Nullable Claim claim(@Nullable List<byte[]> reply) {
        // Lua's false comes as a list of one null.
        if (reply == null || reply.getFirst() == null) {
            return null;
        }
        return Claim.of(
                ClaimId.parse(text(reply.get(0))),
                Instant.ofEpochMilli(Long.parseLong(text(reply.get(1)))),
                reply.subList(2, reply.size()));
    }

    @SuppressWarnings("unchecked")
    private static <T> RedisScript<T> script(String name, Class<?> result) {
        return (RedisScript<T>) RedisScript.of(ResourceText.of("redis/" + name + ".lua"), result);
    }

    private static byte[] bytes(long number) {
        return bytes(Long.toString(number));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
