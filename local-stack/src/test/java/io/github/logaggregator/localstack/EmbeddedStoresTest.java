package io.github.logaggregator.localstack;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedStoresTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().resolveSibling("");

    @TempDir
    private Path path;

    private DataFolder folder;
    private EmbeddedPostgresStore postgres;
    private EmbeddedRedisStore redis;

    @BeforeEach
    void start() {
        folder = DataFolder.of(path);
        postgres = LocalStack.postgres(ROOT, folder, Ports.free());
        redis = LocalStack.redis(ROOT, folder, Ports.free(), "32mb");
        redis.start();
        postgres.start();
        redis.awaitReady();
        postgres.awaitReady();
    }

    @AfterEach
    void stop() {
        redis.close();
        postgres.close();
        folder.close();
    }

    @Test
    void keepWhatTheyAcknowledgedWhenKilled() throws Exception {
        sql("CREATE TABLE kept AS SELECT 42 AS answer");
        redis("SET kept 42");

        killAndStartAgain(postgres);
        killAndStartAgain(redis);

        assertThat(sql("TABLE kept")).isEqualTo("42");
        assertThat(redis("GET kept")).isEqualTo("$2\r\n42");
    }

    @Test
    void syncEveryWriteToDisk() throws Exception {
        assertThat(List.of(sql("SHOW fsync"), sql("SHOW synchronous_commit"), sql("SHOW full_page_writes")))
                .containsOnly("on");
        assertThat(redis("CONFIG GET appendfsync")).endsWith("always");
        assertThat(redis("CONFIG GET appendonly")).endsWith("yes");
        assertThat(redis("CONFIG GET maxmemory-policy")).endsWith("noeviction");
        assertThat(redis("CONFIG GET maxmemory")).endsWith(Long.toString(32 << 20));
    }

    @Test
    void goOnAfterAPause() throws Exception {
        redis.pause();
        postgres.pause();
        assertThat(redis.isReady()).isFalse();
        assertThat(postgres.isReady()).isFalse();

        redis.resume();
        postgres.resume();
        redis.awaitReady();
        postgres.awaitReady();
    }

    @Test
    void stopByThemselvesEvenWhilePausedAndWithClientsConnected() throws Exception {
        try (Connection client = DriverManager.getConnection(url(), "aggregator", "aggregator")) {
            assertThat(client.isValid(1)).isTrue();
            postgres.pause();
            redis.pause();

            assertThat(postgres.stopGracefully()).isTrue();
            assertThat(redis.stopGracefully()).isTrue();
        }
    }

    private static void killAndStartAgain(LocalProcess store) {
        List<ProcessHandle> tree = Processes.tree(ProcessHandle.of(store.pid()).orElseThrow());
        store.kill();
        assertThat(tree).noneMatch(ProcessHandle::isAlive);
        store.start();
        store.awaitReady();
    }

    private String url() {
        return EmbeddedPostgresStore.jdbcUrl("127.0.0.1", postgres.port());
    }

    private String sql(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url(), "aggregator", "aggregator");
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return "";
            }
            ResultSet row = statement.getResultSet();
            row.next();
            return row.getString(1);
        }
    }

    private String redis(String command) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), redis.port())) {
            socket.getOutputStream().write((command + "\r\nQUIT\r\n").getBytes(StandardCharsets.UTF_8));
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            return answers.substring(0, answers.lastIndexOf("\r\n+OK")).strip();
        }
    }
}
