package io.github.logaggregator.tests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Where PostgreSQL and Redis come from in this run, chosen once by {@code -Dbacking=docker|embedded|auto}. */
enum Backing {
    DOCKER,
    EMBEDDED;

    static final String POSTGRES_IMAGE = "postgres:18";
    static final String REDIS_IMAGE = "redis:8";

    private static final List<String> IMAGES = images();

    // An engine that can't reach its registry may answer after many minutes, or never.
    private static final Duration ANSWER = Duration.ofSeconds(10);
    private static final Duration PULL = Duration.ofMinutes(1);

    // Not chosen while the class is initialized: the threads that await Docker's client need the class themselves.
    private static @Nullable Backing chosen;

    static synchronized Backing chosen() {
        if (chosen == null) {
            chosen = choose(System.getProperty("backing", "auto"));
        }
        return chosen;
    }

    private static Backing choose(String wish) {
        Backing backing = switch (wish) {
            case "docker" -> DOCKER;
            case "embedded" -> EMBEDDED;
            case "auto" -> imagesAreThere() || imagesCanBePulled() ? DOCKER : EMBEDDED;
            default -> throw new IllegalArgumentException("-Dbacking=" + wish + ": must be docker, embedded or auto");
        };
        System.out.println(
                backing == DOCKER
                        ? "Stores: " + POSTGRES_IMAGE + " and " + REDIS_IMAGE + " in containers"
                        : "Stores: embedded PostgreSQL and Redis");
        return backing;
    }

    /** In a container, Testcontainers looks for the engine's address by a third image, unless it is told. */
    private static List<String> images() {
        return Files.exists(Path.of("/.dockerenv")) && System.getenv("TESTCONTAINERS_HOST_OVERRIDE") == null
                ? List.of(POSTGRES_IMAGE, REDIS_IMAGE, "alpine:3.17")
                : List.of(POSTGRES_IMAGE, REDIS_IMAGE);
    }

    private static boolean imagesAreThere() {
        return IMAGES.stream().allMatch(image -> docker(ANSWER, "image", "inspect", image));
    }

    private static boolean imagesCanBePulled() {
        return docker(ANSWER, "version") && IMAGES.stream().allMatch(image -> docker(PULL, "pull", "--quiet", image));
    }

    /** Whether a command of Docker's own client succeeds in time: unlike a library's call, a process can be ended. */
    private static boolean docker(Duration atMost, String... arguments) {
        try {
            Process docker = new ProcessBuilder(Stream.concat(Stream.of("docker"), Stream.of(arguments))
                            .toList())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            boolean succeeded = docker.onExit()
                    .thenApply(ended -> ended.exitValue() == 0)
                    .completeOnTimeout(false, atMost.toMillis(), TimeUnit.MILLISECONDS)
                    .join();
            docker.destroyForcibly();
            return succeeded;
        } catch (IOException e) {
            return false; // no such command
        }
    }
}
