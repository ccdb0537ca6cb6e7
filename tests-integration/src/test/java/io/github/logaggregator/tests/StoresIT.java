package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import io.github.logaggregator.localstack.Store;
import io.lettuce.core.api.sync.RedisCommands;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The ground that the promises stand on: what a store has acknowledged is there after any end of its process. */
@OwnSystem(apis = 0, workers = 0)
@Tag("stores")
class StoresIT {
    @Test
    void keepWhatTheyAcknowledgedWhenKilled(AggregatorSystem system) {
        keepWhatTheyAcknowledged(system, Store::kill);
    }

    @Test
    void keepWhatTheyAcknowledgedWhenKilledWhilePaused(AggregatorSystem system) {
        keepWhatTheyAcknowledged(system, store -> {
            store.pause();
            store.kill();
        });
    }

    @Test
    void keepWhatTheyAcknowledgedWhenStopped(AggregatorSystem system) {
        keepWhatTheyAcknowledged(system, Store::stop);
    }

    private static void keepWhatTheyAcknowledged(AggregatorSystem system, Consumer<Store> end) {
        system.jdbc().sql("CREATE TABLE kept AS SELECT 42 AS answer").update();
        system.redis().lpush("kept", "first", "second");

        for (Store store : List.of(system.postgres(), system.redisStore())) {
            end.accept(store);
            store.start();
            store.awaitReady();
        }

        assertThat(system.jdbc().sql("TABLE kept").query(Integer.class).single())
                .isEqualTo(42);
        assertThat(system.redis().lrange("kept", 0, -1)).containsExactly("second", "first");
    }

    @Test
    void syncEveryWriteToDiskAndForgetNothingWhenFull(AggregatorSystem system) {
        assertThat(List.of("fsync", "synchronous_commit", "full_page_writes"))
                .allSatisfy(setting -> assertThat(system.jdbc()
                                .sql("SHOW " + setting)
                                .query(String.class)
                                .single())
                        .isEqualTo("on"));
        RedisCommands<String, String> redis = system.redis();
        assertThat(redis.configGet(
                        "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy", "save"))
                .containsOnly(
                        entry("appendonly", "yes"),
                        entry("appendfsync", "always"),
                        entry("no-appendfsync-on-rewrite", "no"),
                        entry("maxmemory-policy", "noeviction"),
                        entry("save", ""));
        assertThat(redis.configGet("maxmemory").get("maxmemory")).isEqualTo(Long.toString(512 << 20));
    }
}
