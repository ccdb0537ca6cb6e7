package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A disk of a few megabytes, in memory, that can be filled. Mounting needs rights: who does not have them skips the tests
 * that want one.
 */
record SmallDisk(Path path) implements AutoCloseable {
    /** A disk at an empty folder, which is made if need be. */
    static SmallDisk at(Path folder) throws IOException {
        Files.createDirectories(folder);
        assumeTrue(
                succeeds("mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", folder.toString()),
                "Skipped: mounting a small disk needs rights that this user does not have");
        return new SmallDisk(folder);
    }

    /** A disk in the place of a folder, with all that is in the folder. */
    static SmallDisk over(Path folder) throws IOException {
        Path copy = folder.resolveSibling(folder.getFileName() + "-copy");
        assertThat(succeeds("cp", "-a", folder.toString(), copy.toString())).isTrue();
        SmallDisk disk = at(folder);
        assertThat(succeeds("cp", "-a", copy + "/.", folder.toString())).isTrue();
        return disk;
    }

    private static boolean succeeds(String... command) throws IOException {
        return new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(Redirect.DISCARD)
                        .start()
                        .onExit()
                        .join()
                        .exitValue()
                == 0;
    }

    /** Leaves no room, not for a byte. */
    void fill() throws IOException {
        try (OutputStream filler = Files.newOutputStream(filler())) {
            while (true) {
                filler.write(new byte[4096]);
            }
        } catch (IOException e) {
            assertThat(path.toFile().getUsableSpace()).as(e.toString()).isZero();
        }
    }

    void makeRoom() throws IOException {
        Files.delete(filler());
    }

    private Path filler() {
        return path.resolve("filler");
    }

    @Override
    public void close() throws IOException {
        // lazily: a store may still have its files open
        assertThat(succeeds("umount", "-l", path.toString())).isTrue();
    }
}
