package io.github.logaggregator.localstack;

import static org.awaitility.Awaitility.await;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.awaitility.core.ConditionTimeoutException;
import org.awaitility.core.TerminalFailureException;
import org.jspecify.annotations.Nullable;

/**
 * A process of the system that can be stopped, killed, paused and started again, each time on the same port, data and
 * log.
 *
 * <p>It is a child of this JVM in a session of its own, so that a terminal's Ctrl-C reaches this JVM only, which stops
 * its children in order. Where there is no {@code setsid} (macOS), Ctrl-C reaches all of them at once: the stores may be
 * gone before the services are, which then end within their bound, and nothing that was accepted is lost.
 */
public abstract sealed class LocalProcess implements ManagedProcess
        permits ServiceProcess, EmbeddedPostgresStore, EmbeddedRedisStore {
    private static final Duration READY_WITHIN = Duration.ofMinutes(2);
    private static final int TAIL_LINES = 60;
    private static final boolean HAS_SETSID =
            Files.isExecutable(Path.of("/usr/bin/setsid")) || Files.isExecutable(Path.of("/bin/setsid"));

    private final String name;
    private final int port;
    private final DataFolder folder;

    // Guarded by this, as all that start and end the process is: a supervisor must not start what is being stopped.
    private @Nullable Process process;
    private boolean wanted;

    LocalProcess(String name, int port, DataFolder folder) {
        this.name = name;
        this.port = port;
        this.folder = folder;
    }

    abstract List<String> command() throws IOException;

    abstract Map<String, String> environment();

    /** Whether it does its work, as seen from outside; must return within seconds. */
    abstract boolean isReady();

    /** How long it may take to end in an orderly way. */
    abstract Duration patience();

    /** The signal at which it ends in an orderly way. */
    String stopSignal() {
        return "TERM";
    }

    /** What must be so before it can start. */
    void prepare() throws IOException {}

    /** Where it keeps data, if it does. */
    @Nullable
    Path dataPath() {
        return null;
    }

    @Override
    public final String name() {
        return name;
    }

    @Override
    public final int port() {
        return port;
    }

    final DataFolder folder() {
        return folder;
    }

    @Override
    public final synchronized void start() {
        if (isAlive()) {
            return;
        }
        try {
            prepare();
            List<String> command = new ArrayList<>();
            if (HAS_SETSID) {
                command.add("setsid");
            }
            command.addAll(command());
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(Redirect.from(new File("/dev/null")))
                    .redirectOutput(process != null ? Redirect.appendTo(logFile()) : Redirect.to(logFile()));
            builder.environment().putAll(environment());
            process = builder.start();
            wanted = true;
            folder.running(name, process.toHandle());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private File logFile() {
        return logPath().toFile();
    }

    /** Starts it again if it has died; false if it was stopped or killed by one of these methods. */
    final synchronized boolean startAgain() {
        if (wanted) {
            start();
        }
        return wanted;
    }

    @Override
    public final void awaitReady() {
        try {
            await().atMost(READY_WITHIN)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(50))
                    .failFast(() -> !isAlive())
                    .until(this::isReady);
        } catch (ConditionTimeoutException | TerminalFailureException e) {
            String what = isAlive() ? " was not ready within " + READY_WITHIN.toSeconds() + " s" : " ended";
            throw new StackException(name + what + ". The end of " + logPath() + ":\n" + logTail(), e);
        }
    }

    /** Stops it in an orderly way, starts it again and waits until it is ready. */
    public final void restart() {
        stop();
        start();
        awaitReady();
    }

    @Override
    public final void stop() {
        boolean unused = stopGracefully();
    }

    /** Lets it end in its own way, and kills it if it has not within its bound; whether it ended by itself. */
    public final synchronized boolean stopGracefully() {
        wanted = false;
        Process running = process;
        if (running == null || !running.isAlive()) {
            folder.ended(name);
            return true;
        }
        List<ProcessHandle> self = List.of(running.toHandle());
        Processes.signal(stopSignal(), self);
        Processes.signal("CONT", Processes.tree(running.toHandle())); // a paused one can't end
        if (Processes.awaitEnd(self, patience())) {
            folder.ended(name);
            return true;
        }
        kill();
        return false;
    }

    /** Kills it and all its children, and returns when they are gone. */
    @Override
    public final synchronized void kill() {
        wanted = false;
        if (process != null) {
            Processes.kill(Processes.tree(process.toHandle()));
        }
        folder.ended(name);
    }

    @Override
    public final void pause() {
        Processes.signal("STOP", Processes.tree(running().toHandle()));
    }

    @Override
    public final void resume() {
        Processes.signal("CONT", Processes.tree(running().toHandle()));
    }

    public final synchronized boolean isAlive() {
        return process != null && process.isAlive();
    }

    /** The id of the process that runs, or ran last. */
    public final long pid() {
        return running().pid();
    }

    /** The status with which the process ended that ran last; 143 after SIGTERM, and 137 after SIGKILL. */
    public final int exitStatus() {
        return running().exitValue();
    }

    /** Done when the process that runs now has ended. */
    final CompletableFuture<Process> onExit() {
        return running().onExit();
    }

    private synchronized Process running() {
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process;
    }

    final Path logPath() {
        return folder.log(name);
    }

    /** What it has written to its log since the stack began. */
    public final String log() {
        try {
            // not readString, which refuses a character that is half written
            return new String(Files.readAllBytes(logPath()), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public final String logTail() {
        List<String> lines = log().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
    }

    /** Stops it for good. */
    public final void close() {
        stop();
    }
}
