package io.github.logaggregator.benchmarks;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import redis.clients.jedis.RedisClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The same job as it is usually done, without any of the promises: one LPUSH a request, one BRPOP and one INSERT an event,
 * one loop. What is popped and not yet inserted is lost in a crash.
 */
@RestController
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
class PlainApplication {
    static final String QUEUE = "plain:queue";
    private static final JsonMapper JSON = new JsonMapper();

    private final RedisClient redis;
    private final AtomicLong received = new AtomicLong();
    private final AtomicLong settled = new AtomicLong();

    PlainApplication(
            @Value("${spring.data.redis.host}") String redisHost, @Value("${spring.data.redis.port}") int redisPort) {
        this.redis = RedisClient.create(redisHost, redisPort);
    }

    public static void main(String[] arguments) {
        SpringApplication.run(PlainApplication.class, arguments);
    }

    @PostMapping(path = "/publish", consumes = MediaType.APPLICATION_JSON_VALUE)
    Map<String, Object> publish(HttpServletRequest request) throws IOException {
        JsonNode body = JSON.readTree(request.getInputStream().readAllBytes());
        List<String> events = body.isArray()
                ? body.valueStream().map(JSON::writeValueAsString).toList()
                : List.of(JSON.writeValueAsString(body));
        redis.lpush(QUEUE, events.toArray(String[]::new));
        received.addAndGet(events.size());
        return Map.of("status", "queued", "accepted", events.size());
    }

    @GetMapping("/ready")
    String ready() {
        return "ready";
    }

    /** How many events were received, and how many of them have been settled. */
    @GetMapping("/settled")
    List<Long> settled() {
        return List.of(received.get(), settled.get());
    }

    @Bean
    SmartLifecycle loop(
            @Value("${spring.datasource.url}") String url,
            @Value("${spring.datasource.username}") String username,
            @Value("${spring.datasource.password}") String password) {
        return new SmartLifecycle() {
            private volatile boolean running;

            @Override
            public void start() {
                running = true;
                Thread.ofPlatform().daemon().name("plain-loop").start(() -> {
                    try (Connection connection = DriverManager.getConnection(url, username, password)) {
                        moveEvents(connection);
                    } catch (SQLException e) {
                        throw new IllegalStateException(e);
                    }
                });
            }

            private void moveEvents(Connection connection) throws SQLException {
                try (Statement statement = connection.createStatement()) {
                    statement.execute("""
                            CREATE TABLE plain_events (
                                topic text, event_id text, ts timestamptz, source text, payload jsonb,
                                PRIMARY KEY (topic, event_id)
                            )""");
                }
                try (PreparedStatement insert = connection.prepareStatement("""
                        INSERT INTO plain_events VALUES (?, ?, ?::timestamptz, ?, ?::jsonb)
                        ON CONFLICT (topic, event_id) DO NOTHING""")) {
                    while (running) {
                        List<String> popped = redis.brpop(1, QUEUE);
                        if (popped != null) {
                            insert(insert, JSON.readTree(popped.getLast()));
                            settled.incrementAndGet();
                        }
                    }
                }
            }

            private static void insert(PreparedStatement insert, JsonNode event) throws SQLException {
                int i = 0;
                for (String field : List.of("topic", "event_id", "timestamp", "source")) {
                    insert.setString(++i, event.get(field).stringValue());
                }
                insert.setString(++i, JSON.writeValueAsString(event.get("payload")));
                insert.executeUpdate();
            }

            @Override
            public void stop() {
                running = false;
            }

            @Override
            public boolean isRunning() {
                return running;
            }
        };
    }
}
