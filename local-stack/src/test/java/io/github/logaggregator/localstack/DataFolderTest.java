package io.github.logaggregator.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderTest {
    @TempDir
    private Path path;

    private Process process;

    @BeforeEach
    void startAProcess() throws IOException {
        process = new ProcessBuilder("sleep", "1000").start();
    }

    @AfterEach
    void endIt() {
        process.destroyForcibly();
    }

    @Test
    void isHeldByOneStackAtATime() {
        try (DataFolder held = DataFolder.of(path)) {
            assertThatThrownBy(() -> DataFolder.of(path))
                    .isInstanceOf(StackException.class)
                    .hasMessageContaining(held.toString());
        }
        DataFolder.of(path).close();
    }

    @Test
    void stopsWhatAKilledRunLeftBehind() {
        try (DataFolder killed = DataFolder.of(path)) {
            killed.running("redis", process.toHandle());
        }

        DataFolder.of(path).close();

        assertThat(process.isAlive()).isFalse();
    }

    @Test
    void sparesAProcessThatGotTheIdOfOneLongGone() throws IOException {
        DataFolder.of(path).close();
        Instant earlier = process.toHandle().info().startInstant().orElseThrow().minus(Duration.ofMinutes(1));
        Files.writeString(path.resolve("pids/redis"), process.pid() + " " + earlier);

        DataFolder.of(path).close();

        assertThat(process.isAlive()).isTrue();
        assertThat(path.resolve("pids")).isEmptyDirectory();
    }

    @Test
    void leavesNothingOfATemporaryOne() throws IOException {
        try (DataFolder folder = DataFolder.temporary(path)) {
            Files.createDirectories(folder.of("redis").resolve("appendonlydir"));
            assertThat(path).isNotEmptyDirectory();
        }

        assertThat(path).isEmptyDirectory();
    }
}
