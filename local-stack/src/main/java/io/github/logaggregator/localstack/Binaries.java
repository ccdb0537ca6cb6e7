package io.github.logaggregator.localstack;

import static java.util.Objects.requireNonNull;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.Locale;
import java.util.zip.CRC32;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;
import redis.embedded.RedisExecProvider;

/**
 * The stores' programs for this machine, unpacked once from the libraries that carry them. Of those libraries nothing
 * else is used: they start their servers without fsync, as children of nobody or by hooks of their own, and a server
 * that is to be killed, awaited and stopped in order has to be a child of the stack.
 */
final class Binaries {
    private final Path folder;

    /** Programs unpacked into the given folder, which several stacks may share. */
    Binaries(Path folder) {
        this.folder = folder;
    }

    /** The folder of {@code postgres} and {@code initdb}. */
    Path postgres() throws IOException {
        String system = System.getProperty("os.name").startsWith("Mac") ? "darwin" : "linux";
        String machine = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        byte[] archive;
        try (InputStream packed = DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(system, machine)) {
            archive = packed.readAllBytes();
        }
        CRC32 checksum = new CRC32();
        checksum.update(archive);
        Path home = folder.resolve("postgres-" + HexFormat.of().toHexDigits((int) checksum.getValue()));
        if (!Files.exists(home)) {
            Path unpacked = Files.createTempDirectory(Files.createDirectories(folder), "unpacking-");
            unpack(archive, unpacked);
            publish(unpacked, home);
        }
        return home.resolve("bin");
    }

    /** The program {@code redis-server}. */
    Path redis() throws IOException {
        Path home = folder.resolve("redis-" + RedisExecProvider.redisVersion);
        if (!Files.exists(home)) {
            Path unpacked = Files.createTempDirectory(Files.createDirectories(folder), "unpacking-");
            // a copy, since the library deletes its own when the JVM ends
            Path own = RedisExecProvider.defaultProvider().get().toPath();
            makeExecutable(Files.copy(own, unpacked.resolve("redis-server")));
            publish(unpacked, home);
        }
        return home.resolve("redis-server");
    }

    private static void unpack(byte[] archive, Path into) throws IOException {
        try (TarArchiveInputStream tar =
                new TarArchiveInputStream(new XZInputStream(new ByteArrayInputStream(archive)))) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path file = into.resolve(entry.getName());
                Files.createDirectories(entry.isDirectory() ? file : requireNonNull(file.getParent()));
                if (entry.isSymbolicLink()) {
                    Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
                } else if (entry.isFile()) {
                    Files.copy(tar, file);
                    if (entry.getName().contains("bin/")) {
                        makeExecutable(file);
                    }
                }
            }
        }
    }

    private static void makeExecutable(Path program) throws IOException {
        if (!program.toFile().setExecutable(true, false)) {
            throw new FileSystemException(program.toString(), null, "can't be made executable");
        }
    }

    /** Puts what is complete in its place, at once: another stack may do the same at this moment. */
    static void publish(Path unpacked, Path place) throws IOException {
        // the temporary folder is its owner's alone, but the stores may run as another user
        if (!unpacked.toFile().setExecutable(true, false) || !unpacked.toFile().setReadable(true, false)) {
            throw new FileSystemException(unpacked.toString(), null, "can't be made readable");
        }
        try {
            Files.move(unpacked, place, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.exists(place)) {
                throw e;
            }
            DataFolder.delete(unpacked);
        }
    }
}
