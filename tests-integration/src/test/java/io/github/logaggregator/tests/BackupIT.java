package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.springframework.util.FileSystemUtils;

/** A backup of both stores, of a moment when nothing was on its way, balances; one store alone that is brought back shows. */
@OwnSystem
class BackupIT {
    private static final List<Event> BEFORE = TestEvents.events("before", 100);
    private static final List<Event> SINCE = TestEvents.events("since", 50);

    @Test
    void ofBothStoresBringsTheBooksBackAndOfOneAloneShowsInThem(AggregatorSystem system) throws IOException {
        assumeTrue(
                Backing.chosen() == Backing.EMBEDDED,
                "Skipped: the stores run in containers, whose disks are out of this test's reach");
        Path postgres = Path.of(
                system.jdbc().sql("SHOW data_directory").query(String.class).single());
        Path redis = Path.of(system.redis().configGet("dir").get("dir"));
        publish(system, BEFORE);
        system.postgres().stop();
        system.redisStore().stop();
        backUp(postgres);
        backUp(redis);
        startAgain(system, system.redisStore(), system.postgres());
        publish(system, SINCE);
        assertThat(system.stats().books()).isEqualTo(new Books(150, 150, 0, 0, 0, 0, 0));

        system.postgres().stop();
        restore(postgres);
        startAgain(system, system.postgres());
        assertThat(system.stats().books()).isEqualTo(new Books(150, 100, 0, 0, 0, 0, 50));
        assertThat(system.stats().queue().rolledBack()).isFalse();

        system.redisStore().stop();
        restore(redis);
        startAgain(system, system.redisStore());
        assertThat(system.stats().books()).isEqualTo(new Books(100, 100, 0, 0, 0, 0, 0));
        assertThat(system.stats().queue().rolledBack()).isFalse();
        assertThat(system.allEvents("")).containsExactlyInAnyOrderElementsOf(BEFORE);

        // The producers still have it.
        publish(system, SINCE);
        assertThat(system.stats().books()).isEqualTo(new Books(150, 150, 0, 0, 0, 0, 0));

        system.redisStore().stop();
        restore(redis);
        startAgain(system, system.redisStore());
        assertThat(system.stats().queue().rolledBack()).isTrue();
    }

    private static void publish(AggregatorSystem system, List<Event> events) {
        system.publish(TestEvents.json(events)).then().statusCode(200);
        system.awaitSettled();
    }

    private static Path backupOf(Path data) {
        return data.resolveSibling(data.getFileName() + "-backup");
    }

    private static void backUp(Path data) throws IOException {
        copy(data, backupOf(data));
    }

    private static void restore(Path data) throws IOException {
        FileSystemUtils.deleteRecursively(data);
        copy(backupOf(data), data);
    }

    private static void copy(Path from, Path to) throws IOException {
        FileSystemUtils.copyRecursively(from, to);
        // PostgreSQL wants its folder to be nobody else's.
        Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwx------"));
    }

    private static void startAgain(AggregatorSystem system, Store... stores) {
        for (Store store : stores) {
            store.start();
            store.awaitReady();
        }
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> system.http().get("/stats").statusCode() == 200);
    }
}
