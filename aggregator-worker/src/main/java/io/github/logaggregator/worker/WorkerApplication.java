package io.github.logaggregator.worker;

import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.resource.Delay;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.data.redis.autoconfigure.ClientResourcesBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientOptionsBuilderCustomizer;
import org.springframework.boot.flyway.autoconfigure.FlywayMigrationStrategy;
import org.springframework.boot.micrometer.tracing.opentelemetry.autoconfigure.SpanExporters;
import org.springframework.boot.task.ThreadPoolTaskSchedulerCustomizer;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.serializer.RedisSerializer;
import org.springframework.scheduling.annotation.EnableScheduling;

/** The worker process. It may start before its stores do, and waits for them. */
@SpringBootApplication(proxyBeanMethods = false)
@ConfigurationPropertiesScan
@EnableScheduling
class WorkerApplication {
    private static final Logger LOG = LoggerFactory.getLogger(WorkerApplication.class);

    public static void main(String[] args) {
        // For the connection of the migrations, which is not one of the pool; in seconds.
        DriverManager.setLoginTimeout(5);
        // Netty's newer allocator gives what is large back to the system at once, which stops all threads each time.
        System.setProperty("io.netty.allocator.type", "pooled");
        SpringApplication.run(WorkerApplication.class, args);
    }

    /** Migrates in the background, however long PostgreSQL takes to come; until then settlements fail and are retried. */
    @Bean
    FlywayMigrationStrategy migrationInBackground() {
        PatientRetry migrating = new PatientRetry(new Outage("Migrating the schema"), () -> false);
        return flyway -> Thread.ofVirtual().name("migration").start(() -> {
            try {
                migrating.run(flyway::migrate);
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
        });
    }

    /** Commands are never sent twice behind our back, and fail at once while Redis is away. */
    @Bean
    LettuceClientOptionsBuilderCustomizer redisSendsOnce() {
        return options -> options.replayFilter(command -> true)
                .disconnectedBehavior(DisconnectedBehavior.REJECT_COMMANDS)
                .requestQueueSize(10_000);
    }

    @Bean
    ClientResourcesBuilderCustomizer redisReconnectsSoon(@Value("${spring.data.redis.timeout}") Duration timeout) {
        return resources -> resources
                .reconnectDelay(
                        () -> Delay.fullJitter(Duration.ofMillis(50), Duration.ofSeconds(2), 50, TimeUnit.MILLISECONDS))
                .nettyCustomizer(new SilentConnections(timeout));
    }

    /** Keys are text, everything else is bytes. */
    @Bean
    RedisTemplate<String, byte[]> redisTemplate(RedisConnectionFactory connections) {
        RedisTemplate<String, byte[]> redis = new RedisTemplate<>();
        redis.setConnectionFactory(connections);
        redis.setKeySerializer(RedisSerializer.string());
        redis.setValueSerializer(RedisSerializer.byteArray());
        return redis;
    }

    /** The outage of their receiver is told by us. */
    @Bean
    SpanExporters spanExporters(ObjectProvider<SpanExporter> exporters) {
        return SpanExporters.of(exporters.stream().map(SpanExport::new).toList());
    }

    @Bean
    ApplicationListener<ContextClosedEvent> tellsThatItStops() {
        return stop -> LOG.info("Stopping");
    }

    /** Housekeeping that fails is due again in a moment; the loops tell the outage. */
    @Bean
    ThreadPoolTaskSchedulerCustomizer housekeepingBearsOutages() {
        return scheduler -> scheduler.setErrorHandler(e -> LOG.debug("Housekeeping failed", e));
    }
}
