package io.github.logaggregator.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One of this module's own programs, as a process with the class path of this JVM and the heap of a service. It ends when
 * it is closed.
 */
final class JavaProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader answers;
    private final Path log;

    private JavaProcess(Process process, Path log) {
        this.process = process;
        this.answers = process.inputReader();
        this.log = log;
    }

    /** Starts a program whose standard output is read as answers, and whose errors are its log. */
    static JavaProcess start(Class<?> program, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(List.of("-Xmx512m", "-cp", System.getProperty("java.class.path"), program.getName()));
        command.addAll(arguments);
        try {
            Path log = Files.createTempFile("benchmark-", ".log");
            return new JavaProcess(
                    new ProcessBuilder(command)
                            .redirectError(Redirect.to(log.toFile()))
                            .start(),
                    log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long pid() {
        return process.pid();
    }

    /** Writes a line to its standard input, and gives the line that it answers with. */
    synchronized String ask(String question) {
        try {
            process.outputWriter().write(question + "\n");
            process.outputWriter().flush();
            String answer = answers.readLine();
            if (answer == null) {
                throw new IllegalStateException("A program of the benchmark ended:\n" + Files.readString(log));
            }
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until an address of it answers. */
    JavaProcess awaitReady(Http http, URI ready) {
        http.awaitStatus(200, ready, () -> {
            if (!process.isAlive()) {
                throw new IllegalStateException("A program of the benchmark ended; " + log + " says why");
            }
        });
        return this;
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
