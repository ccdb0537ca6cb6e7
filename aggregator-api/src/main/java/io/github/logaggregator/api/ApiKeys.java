package io.github.logaggregator.api;

import jakarta.annotation.PostConstruct;
import jakarta.annotation.PreDestroy;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/**
 * Tells who somebody is by a copy of all keys, which is two seconds old, or as old as PostgreSQL's last answer. Keys are asked for as
 * soon as there is one, be it revoked. Without any, everybody is let in, if nobody but this machine can come, or if that was told
 * in so many words; else this process ends.
 */
@Component
class ApiKeys {
    private static final Logger LOG = LoggerFactory.getLogger(ApiKeys.class);
    private static final long PERIOD_MILLIS = 2_000;

    private final EventStoreKeys store;
    private final StoreAccess postgresAccess;
    private final SchemaState schema;
    private final ApiProperties properties;
    private final Clock clock;
    private final boolean mayBeOpen;
    private final CountDownLatch end = new CountDownLatch(1);

    /** By their hashes; null as long as nothing is known of them. */
    private volatile @Nullable Map<String, ApiKey> known;

    ApiKeys(
            EventStoreKeys store,
            StoreAccess postgresAccess,
            SchemaState schema,
            ApiProperties properties,
            Clock clock) {
        this.store = store;
        this.postgresAccess = postgresAccess;
        this.schema = schema;
        this.properties = properties;
        this.clock = clock;
        this.mayBeOpen = properties.openWithoutKeys() || properties.isOnLoopbackOnly();
    }

    /**
     * Who has a key.
     *
     * @param text the key as it was sent; null if none was
     * @throws Refusal if it is none, or is expired or revoked (401), or it is not known yet (503)
     */
    ApiKey identify(@Nullable String text) {
        if (isOpen()) {
            return ApiKey.EVERYBODY;
        }
        Map<String, ApiKey> keys = known;
        if (keys == null) {
            throw Refusal.unavailable(
                    "It is not known yet who may do this: the database has not answered since the start.",
                    properties.retryAfter());
        }
        if (text == null) {
            throw Refusal.unauthorized(
                    "This needs a key, as Authorization: Bearer … or X-API-Key: …", "Bearer realm=\"aggregator\"");
        }
        // The time that it takes to find a hash, or not, tells nothing of any key.
        ApiKey key = keys.get(ApiKey.hash(text));
        if (key == null || !key.isValid(clock.instant())) {
            throw Refusal.unauthorized(
                    "The key is not valid: there is none such, or it has expired or was revoked.",
                    "Bearer realm=\"aggregator\", error=\"invalid_token\"");
        }
        return key;
    }

    /** Whether one who was identified before would be still. */
    boolean isValid(ApiKey key) {
        if (key.equals(ApiKey.EVERYBODY)) {
            return isOpen();
        }
        Map<String, ApiKey> keys = known;
        ApiKey now = keys == null ? null : keys.get(key.hash());
        return now != null && now.isValid(clock.instant());
    }

    /** Whether it can be told of everybody who comes if he may. */
    boolean isReady() {
        Map<String, ApiKey> keys = known;
        return isOpen() || (keys != null && !keys.isEmpty());
    }

    private boolean isOpen() {
        Map<String, ApiKey> keys = known;
        return keys == null ? properties.openWithoutKeys() : keys.isEmpty() && mayBeOpen;
    }

    @PostConstruct
    void start() {
        Thread.ofVirtual().name("keys").start(this::keepUpToDate);
    }

    @PreDestroy
    void stop() {
        end.countDown();
    }

    private void keepUpToDate() {
        try {
            schema.awaitUpToDate();
            do {
                refresh();
            } while (!end.await(PERIOD_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private void refresh() {
        Map<String, ApiKey> keys;
        try {
            keys = postgresAccess.ask(() ->
                    store.read().stream().collect(Collectors.toUnmodifiableMap(ApiKey::hash, Function.identity())));
        } catch (Refusal e) {
            return; // The last copy stays; StoreAccess tells the outage.
        }
        boolean first = known == null;
        known = keys;
        if (first) {
            tellWhoIsLetIn(keys);
        }
    }

    private void tellWhoIsLetIn(Map<String, ApiKey> keys) {
        if (!keys.isEmpty()) {
            LOG.info("Keys are asked for");
        } else if (mayBeOpen) {
            LOG.info("There are no keys: everybody who can reach this API is let in");
        } else {
            LOG.error(
                    "Not starting: this API can be reached from beyond this machine (api.reachable-at={}), and there is no key."
                            + " Make one: docker compose run --rm aggregator-api keys create --name=NAME"
                            + " --scopes=publish,read,admin '--topics=*'. Or let everybody in: api.open-without-keys=true"
                            + " (API_OPEN_WITHOUT_KEYS=true)",
                    properties.reachableAt().isBlank() ? "any address" : properties.reachableAt());
            // At once: nothing was taken, so there is nothing to finish.
            Runtime.getRuntime().halt(1);
        }
    }
}
