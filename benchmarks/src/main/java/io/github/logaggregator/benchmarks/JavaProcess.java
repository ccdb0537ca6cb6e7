package io.github.logaggregator.benchmarks;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** One of this module's own programs, as a process with the class path of this JVM. It ends when it is closed. */
final class JavaProcess implements AutoCloseable {
    private final Process process;
    private final Path log;

    private JavaProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    static JavaProcess start(Class<?> program, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(List.of("-Xmx512m", "-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(arguments);
        try {
            Path log = Files.createTempFile("benchmark-", ".log");
            return new JavaProcess(
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(Redirect.to(log.toFile()))
                            .start(),
                    log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for its end; gives the last line that it wrote. */
    String lastLine() {
        if (process.onExit().join().exitValue() != 0) {
            throw new IllegalStateException("A program of the benchmark failed:\n" + output());
        }
        return output().strip().lines().reduce((first, second) -> second).orElseThrow();
    }

    /** Waits until an address of it answers. */
    JavaProcess awaitReady(Http http, URI ready) {
        http.awaitOk(ready, () -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("A program of the benchmark ended:\n" + output());
            }
        });
        return this;
    }

    private String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
        process.onExit().join();
        try {
            Files.delete(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
