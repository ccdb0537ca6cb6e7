package io.github.logaggregator.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a stack keeps on disk, held by one stack at a time: the stores' data, the logs, and which processes run on them,
 * so that the next run can stop what a killed one left behind.
 */
public final class DataFolder implements AutoCloseable {
    private static final Duration PATIENCE_WITH_LEFTOVERS = Duration.ofSeconds(5);
    // The kernel gives the start of a process relative to the boot, whose time moves when the clock is set.
    private static final Duration CLOCK_TOLERANCE = Duration.ofSeconds(2);

    private final Path path;
    private final FileChannel lockFile;
    private final boolean temporary;

    private DataFolder(Path path, FileChannel lockFile, boolean temporary) {
        this.path = path;
        this.lockFile = lockFile;
        this.temporary = temporary;
    }

    /**
     * Holds a folder, which is made if need be, and stops what an earlier run left running on it.
     *
     * @throws StackException if another stack holds it
     */
    public static DataFolder of(Path path) {
        return hold(path, false);
    }

    /** Holds a new folder below the given one, which is deleted when closed. */
    public static DataFolder temporary(Path parent) {
        try {
            return hold(Files.createTempDirectory(Files.createDirectories(parent), "stack-"), true);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static DataFolder hold(Path path, boolean temporary) {
        try {
            Files.createDirectories(path.resolve("logs"));
            Files.createDirectories(path.resolve("pids"));
            FileChannel lockFile =
                    FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (!lock(lockFile)) {
                lockFile.close();
                throw new StackException(
                        "Another stack runs on the data in " + path + ": stop it first, there can be one at a time.");
            }
            DataFolder folder = new DataFolder(path, lockFile, temporary);
            folder.stopLeftovers();
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean lock(FileChannel file) throws IOException {
        try {
            FileLock lock = file.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    Path of(String process) {
        return path.resolve(process);
    }

    Path log(String process) {
        return path.resolve("logs").resolve(process + ".log");
    }

    void running(String process, ProcessHandle handle) {
        try {
            String start = handle.info().startInstant().map(Instant::toString).orElse("");
            Files.writeString(pidFile(process), handle.pid() + " " + start);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void ended(String process) {
        try {
            Files.deleteIfExists(pidFile(process));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Path pidFile(String process) {
        return path.resolve("pids").resolve(process);
    }

    private void stopLeftovers() throws IOException {
        List<Path> pidFiles;
        try (Stream<Path> files = Files.list(path.resolve("pids"))) {
            pidFiles = files.toList();
        }
        List<ProcessHandle> leftovers =
                pidFiles.stream().flatMap(file -> leftover(file).stream()).toList();
        Processes.terminate(leftovers, PATIENCE_WITH_LEFTOVERS);
        for (Path file : pidFiles) {
            Files.delete(file);
        }
    }

    private static Optional<ProcessHandle> leftover(Path pidFile) {
        try {
            String[] pidAndStart = Files.readString(pidFile).split(" ", 2);
            Instant start = Instant.parse(pidAndStart[1]);
            return ProcessHandle.of(Long.parseLong(pidAndStart[0]))
                    .filter(process -> process.info()
                            .startInstant()
                            .map(found -> Duration.between(found, start).abs().compareTo(CLOCK_TOLERANCE) < 0)
                            .orElse(false));
        } catch (IOException | RuntimeException e) {
            return Optional.empty(); // cut short by a crash: it names no process
        }
    }

    /** Lets go of the folder, and deletes a temporary one. */
    @Override
    public void close() {
        try {
            lockFile.close();
            if (temporary) {
                delete(path);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void delete(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path file : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
