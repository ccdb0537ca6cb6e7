package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.LocalStack;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The API's command {@code keys}, as a process, on the database of a system. */
final class Keys {
    private final AggregatorSystem system;
    private final List<String> made = new ArrayList<>();

    Keys(AggregatorSystem system) {
        this.system = system;
    }

    /** How the command ended, and what it wrote. */
    record Run(int status, String output, String errors) {}

    Run run(String... arguments) {
        List<String> words = new ArrayList<>(List.of("keys"));
        words.addAll(List.of(arguments));
        String database = EmbeddedPostgresStore.jdbcUrl(
                system.postgres().host(), system.postgres().port());
        try {
            Process process = LocalStack.keysCommand(AggregatorSystem.ROOT, database, words)
                    .start();
            CompletableFuture<String> errors = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
            String output = text(process.getInputStream());
            return new Run(process.onExit().join().exitValue(), output, errors.join());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String text(InputStream stream) {
        try (stream) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Makes a key, which standard output has and nothing else. */
    String create(String name, String scopes, String topics, String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("create", "--name=" + name, "--scopes=" + scopes, "--topics=" + topics));
        arguments.addAll(List.of(more));
        Run run = run(arguments.toArray(String[]::new));
        assertThat(run.status()).as(run.errors()).isZero();
        assertThat(run.output()).matches("agg_[0-9a-f]{64}\\R");
        assertThat(run.errors()).contains("of the name " + name).doesNotContain("agg_");
        made.add(run.output().strip());
        return run.output().strip();
    }

    void revoke(String name) {
        Run run = run("revoke", "--name=" + name);
        assertThat(run.status()).as(run.errors()).isZero();
    }

    /** All keys that were made. */
    List<String> made() {
        return made;
    }
}
