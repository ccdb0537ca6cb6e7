package io.github.logaggregator.localstack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * A service's executable jar, extracted once, since a JVM reads it in half the time then (Spring Boot's reference,
 * Efficient Deployments), and run with the cache of its classes if there is one (JEP 514).
 */
final class ServiceJar {
    private static final int FIRST_WITH_CACHE = 25;
    private static final String FOLDER = "extracted-";

    private final String service;
    private final Path jar;

    /**
     * The jar that has been built of a service.
     *
     * @param root the project's folder
     * @throws StackException if there is none
     */
    ServiceJar(Path root, String service) {
        this.service = service;
        this.jar = root.resolve(service).resolve("target").resolve(service + ".jar");
        if (!Files.exists(jar)) {
            throw new StackException(jar + " is missing: build it with mvn package -DskipTests");
        }
    }

    /**
     * The beginning of a command line that runs it by the JVM that runs this, in modest memory.
     *
     * @throws StackException if it can't be extracted
     */
    List<String> java(List<String> jvmOptions) {
        Path folder = extracted();
        List<String> options = new ArrayList<>(List.of("-Xmx512m", "-XX:+ExitOnOutOfMemoryError"));
        if (Files.exists(cache(folder))) {
            options.add("-XX:AOTCache=" + cache(folder));
        }
        options.addAll(jvmOptions);
        return command(options, folder.resolve(service + ".jar"));
    }

    /**
     * Keeps the classes that it loads at its start as the JVM wants them, which takes a JVM of Java 25 or later some
     * seconds and 100 MB of disk, and half the time off each start from then on.
     */
    void cacheClasses() {
        Path folder = extracted();
        if (Runtime.version().feature() < FIRST_WITH_CACHE || Files.exists(cache(folder))) {
            return;
        }
        try {
            Path unfinished = Files.createTempFile(folder, service, ".unfinished");
            run(command(
                    List.of("-XX:AOTCacheOutput=" + unfinished, "-Dspring.context.exit=onRefresh"),
                    folder.resolve(service + ".jar")));
            Files.move(unfinished, cache(folder), StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The JVM takes no cache of another version. */
    private Path cache(Path folder) {
        return folder.resolve(service + "-" + Runtime.version() + ".aot");
    }

    /** Where it is extracted. Its checksum is in the name, since what is built reproducibly always has the same age. */
    private Path extracted() {
        try {
            Path target = jar.resolveSibling("");
            Path folder = target.resolve(FOLDER + checksum());
            if (!Files.exists(folder)) {
                deleteEarlierOnes(target);
                Path unfinished = Files.createTempDirectory(target, "extracting-");
                run(command(
                        List.of("-Djarmode=tools"), jar, "extract", "--force", "--destination", unfinished.toString()));
                Binaries.publish(unfinished, folder);
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String checksum() throws IOException {
        CRC32 checksum = new CRC32();
        try (FileChannel file = FileChannel.open(jar)) {
            checksum.update(file.map(FileChannel.MapMode.READ_ONLY, 0, file.size()));
        }
        return HexFormat.of().toHexDigits((int) checksum.getValue());
    }

    private static void deleteEarlierOnes(Path target) throws IOException {
        List<Path> earlier;
        try (Stream<Path> files = Files.list(target)) {
            earlier = files.filter(file -> file.getFileName().toString().startsWith(FOLDER))
                    .toList();
        }
        for (Path folder : earlier) {
            DataFolder.delete(folder);
        }
    }

    private static List<String> command(List<String> jvmOptions, Path jar, String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.addAll(jvmOptions);
        command.addAll(List.of("-jar", jar.toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    private void run(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output;
        try (var reader = process.inputReader()) {
            output = String.join("\n", reader.lines().toList());
        }
        if (process.onExit().join().exitValue() != 0) {
            throw new StackException(jar + " can't be made ready to start:\n" + output);
        }
    }
}
