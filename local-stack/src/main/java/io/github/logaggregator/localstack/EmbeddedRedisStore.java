package io.github.logaggregator.localstack;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A Redis server that has on disk what it has answered, and that refuses rather than forgets when its memory is full. */
public final class EmbeddedRedisStore extends LocalProcess implements Store {
    /**
     * The settings on which the promises rest, wherever Redis runs, as arguments of {@code redis-server}; the last two keep
     * the rewriting of its file, in which events pass through, from taking half of the processor's time.
     */
    public static final List<String> DURABLE = List.of(
            "--appendonly", "yes",
            "--appendfsync", "always",
            "--no-appendfsync-on-rewrite", "no",
            "--save", "",
            "--maxmemory-policy", "noeviction",
            "--auto-aof-rewrite-min-size", "256mb",
            "--rdbcompression", "no");

    /** Twice what the API lets be unsettled unless told otherwise (api.queue.max-size). */
    public static final String MAX_MEMORY = "512mb";

    private final Program program;
    private final String maxMemory;
    private final Path data;

    EmbeddedRedisStore(int port, String maxMemory, DataFolder folder, Program program) {
        super("redis", port, folder);
        this.program = program;
        this.maxMemory = maxMemory;
        this.data = folder.of("redis");
    }

    /** The {@code redis-server} to run. */
    interface Program {
        Path path() throws IOException;
    }

    @Override
    public String host() {
        return "127.0.0.1";
    }

    @Override
    List<String> command() throws IOException {
        List<String> command = new ArrayList<>(List.of(program.path().toString()));
        command.addAll(List.of("--bind", host(), "--port", Integer.toString(port())));
        command.addAll(List.of("--dir", data.toString(), "--maxmemory", maxMemory));
        command.addAll(DURABLE);
        return command;
    }

    @Override
    Map<String, String> environment() {
        return Map.of();
    }

    @Override
    Duration patience() {
        return Duration.ofSeconds(3);
    }

    @Override
    Path dataPath() {
        return data;
    }

    @Override
    void prepare() throws IOException {
        Files.createDirectories(data);
    }

    @Override
    boolean isReady() {
        return answers(host(), port());
    }

    /** Whether the Redis server there has loaded its data and answers; returns within seconds. */
    public static boolean answers(String host, int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), 1000);
            socket.setSoTimeout(1000);
            socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] answer = socket.getInputStream().readNBytes(5);
            return new String(answer, StandardCharsets.US_ASCII).equals("+PONG");
        } catch (IOException e) {
            return false;
        }
    }
}
