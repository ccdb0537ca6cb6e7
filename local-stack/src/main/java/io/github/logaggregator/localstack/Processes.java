package io.github.logaggregator.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Sends signals to processes and waits, boundedly, for their end. */
final class Processes {
    private static final Duration END_OF_THE_KILLED = Duration.ofSeconds(5);

    private Processes() {}

    /** A process and all that it has started: PostgreSQL is one for each connection. */
    static List<ProcessHandle> tree(ProcessHandle root) {
        return Stream.concat(Stream.of(root), root.descendants()).toList();
    }

    /** Signals by name, by way of the shell's own kill, which is there even where the program is not installed. */
    static void signal(String signal, Collection<ProcessHandle> processes) {
        String pids =
                processes.stream().map(process -> Long.toString(process.pid())).collect(Collectors.joining(" "));
        try {
            Process kill = new ProcessBuilder("sh", "-c", "kill -s " + signal + " " + pids)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD) // some may have ended meanwhile
                    .start();
            kill.onExit().join();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Lets processes end in their own way, and kills those that have not in the given time. */
    static void terminate(Collection<ProcessHandle> processes, Duration grace) {
        processes.forEach(ProcessHandle::destroy);
        if (!awaitEnd(processes, grace)) {
            kill(processes.stream().flatMap(process -> tree(process).stream()).toList());
        }
    }

    /** Kills processes (SIGKILL) and waits until they are gone. */
    static void kill(Collection<ProcessHandle> processes) {
        processes.forEach(ProcessHandle::destroyForcibly);
        awaitEnd(processes, END_OF_THE_KILLED);
    }

    static boolean awaitEnd(Collection<ProcessHandle> processes, Duration atMost) {
        return CompletableFuture.allOf(
                        processes.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new))
                .thenApply(ended -> true)
                .completeOnTimeout(false, atMost.toMillis(), TimeUnit.MILLISECONDS)
                .join();
    }
}
