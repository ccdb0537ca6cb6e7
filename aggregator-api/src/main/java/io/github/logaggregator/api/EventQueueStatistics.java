package io.github.logaggregator.api;

import io.github.logaggregator.model.ClaimId;
import io.github.logaggregator.model.QueueKeys;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.core.script.RedisScript;
import org.springframework.stereotype.Component;

/** Reads what Redis knows of the events, all at one moment. */
@Component
class EventQueueStatistics {
    private static final QueueKeys KEYS = QueueKeys.FIRST;

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static final RedisScript<List<Object>> STATISTICS =
            (RedisScript) RedisScript.of(ResourceText.of("redis/statistics.lua"), List.class);

    private final RedisTemplate<String, byte[]> redis;
    private final StoreAccess redisAccess;

    EventQueueStatistics(RedisTemplate<String, byte[]> redis, StoreAccess redisAccess) {
        this.redis = redis;
        this.redisAccess = redisAccess;
    }

    /**
     * The queue at one moment.
     *
     * @param received events accepted since Redis was created
     * @param queued events on the list
     * @param lastClaim the running number of the last claim; 0 if there was none
     * @param workers the nonces of the workers that gave a sign of life of late
     * @param oldestAgeSeconds how long the oldest queued event has been waiting, in seconds; 0 when none is queued
     * @param unsettled events that are accepted and not acknowledged; {@code api.queue.max-events} bounds them
     * @param unsettledBytes their bytes; {@code api.queue.max-size} bounds them
     * @param openClaims the claims that are not acknowledged
     */
    record Snapshot(
            long received,
            long queued,
            long lastClaim,
            List<String> workers,
            double oldestAgeSeconds,
            long unsettled,
            long unsettledBytes,
            List<OpenClaim> openClaims) {}

    /** A claim that is not acknowledged, and how many events it holds; it may be settled. */
    record OpenClaim(ClaimId id, long events) {}

    /** @throws Refusal if Redis did not answer (503) */
    Snapshot read() {
        List<Object> reply = redisAccess.ask(() -> redis.execute(
                STATISTICS,
                List.of(KEYS.queue(), KEYS.claims(), KEYS.counters(), KEYS.claimSizes(), KEYS.workers()),
                KEYS.claimPrefix().getBytes(StandardCharsets.US_ASCII),
                Long.toString(QueueKeys.WORKER_TIMEOUT_SECONDS * 1_000L).getBytes(StandardCharsets.US_ASCII)));
        List<OpenClaim> openClaims = new ArrayList<>();
        for (int i = 8; i < reply.size(); i += 2) {
            openClaims.add(new OpenClaim(ClaimId.parse(text(reply.get(i))), (Long) reply.get(i + 1)));
        }
        return new Snapshot(
                (Long) reply.get(0),
                (Long) reply.get(1),
                (Long) reply.get(2),
                ((List<?>) reply.get(3))
                        .stream().map(EventQueueStatistics::text).toList(),
                ageSeconds(text(reply.get(5)), (Long) reply.get(4)),
                (Long) reply.get(6),
                (Long) reply.get(7),
                openClaims);
    }

    private static double ageSeconds(String entryHead, long nowMillis) {
        String firstEvent = entryHead.substring(entryHead.indexOf('\n') + 1);
        try {
            return entryHead.isEmpty()
                    ? 0
                    : Math.max(0, nowMillis - Long.parseLong(firstEvent.split(" ", 2)[0])) / 1_000.0;
        } catch (NumberFormatException e) {
            return 0; // an entry that none of ours wrote
        }
    }

    private static String text(Object bytes) {
        return new String((byte[]) bytes, StandardCharsets.UTF_8);
    }
}
