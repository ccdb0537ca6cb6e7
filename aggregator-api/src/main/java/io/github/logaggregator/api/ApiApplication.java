package io.github.logaggregator.api;

import io.lettuce.core.ClientOptions.DisconnectedBehavior;
import io.lettuce.core.resource.Delay;
import io.micrometer.observation.ObservationPredicate;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import io.swagger.v3.core.util.Yaml;
import io.swagger.v3.oas.models.OpenAPI;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.apache.catalina.core.StandardHost;
import org.apache.tomcat.util.buf.EncodedSolidusHandling;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springdoc.core.customizers.OpenApiCustomizer;
import org.springframework.beans.BeanUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.data.redis.autoconfigure.ClientResourcesBuilderCustomizer;
import org.springframework.boot.data.redis.autoconfigure.LettuceClientOptionsBuilderCustomizer;
import org.springframework.boot.flyway.autoconfigure.FlywayMigrationStrategy;
import org.springframework.boot.micrometer.tracing.opentelemetry.autoconfigure.SpanExporters;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.io.Resource;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.core.RedisTemplate;
import org.springframework.data.redis.serializer.RedisSerializer;
import org.springframework.http.HttpHeaders;
import org.springframework.http.server.observation.ServerRequestObservationContext;
import org.springframework.util.backoff.BackOffExecution;
import org.springframework.util.backoff.ExponentialBackOff;
import org.springframework.web.HttpMediaTypeNotAcceptableException;
import org.springframework.web.servlet.HandlerExceptionResolver;

/** The API process, which may start before its stores do; or the command {@code keys}, see {@link KeysCommand}. */
@SpringBootApplication(proxyBeanMethods = false)
@ConfigurationPropertiesScan
class ApiApplication {
    private static final Logger LOG = LoggerFactory.getLogger(ApiApplication.class);

    public static void main(String[] args) {
        // For the connection of the migrations, which is not one of the pool; in seconds.
        DriverManager.setLoginTimeout(5);
        if (KeysCommand.isMeant(args)) {
            System.exit(KeysCommand.run(args));
        }
        // Netty's newer allocator gives what is large back to the system at once, which stops all threads each time.
        System.setProperty("io.netty.allocator.type", "pooled");
        SpringApplication.run(ApiApplication.class, args);
    }

    /** Migrates in the background, however long PostgreSQL takes to come: publishing does not need it. */
    @Bean
    FlywayMigrationStrategy migrationInBackground(EventStoreIndexes indexes, SchemaState schema) {
        return flyway -> Thread.ofVirtual().name("migration").start(() -> migrate(flyway, indexes, schema));
    }

    private static void migrate(Flyway flyway, EventStoreIndexes indexes, SchemaState schema) {
        ExponentialBackOff backOff = new ExponentialBackOff(200, 2);
        backOff.setMaxInterval(3_000);
        BackOffExecution pauses = backOff.start();
        boolean migrated = false;
        for (boolean failed = false; ; failed = true) {
            try {
                try {
                    flyway.migrate();
                    if (!migrated) {
                        LOG.info("The schema is up to date");
                        migrated = true;
                        schema.setUpToDate();
                    }
                    indexes.keep(flyway.getConfiguration().getDataSource());
                    return;
                } catch (FlywayException | SQLException e) {
                    if (!failed) {
                        LOG.warn(
                                "Migrating the schema fails; trying again until it works: {}",
                                NestedExceptionUtils.getMostSpecificCause(e).toString());
                    }
                }
                Thread.sleep(pauses.nextBackOff());
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
        }
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

    @Bean
    StoreAccess redisAccess(ApiProperties properties) {
        return new StoreAccess("Redis", "The queue does not answer.", properties.retryAfter());
    }

    @Bean
    StoreAccess postgresAccess(ApiProperties properties) {
        return new StoreAccess("PostgreSQL", "The database does not answer.", properties.retryAfter());
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

    /** What Tomcat refuses before Spring sees it gets the same shape of answer. */
    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> tomcatReportsProblems() {
        return factory -> factory.addContextCustomizers(context ->
                ((StandardHost) context.getParent()).setErrorReportValveClass(ProblemReportValve.class.getName()));
    }

    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> tomcatCountsRefusedRequests(RefusedRequests refused) {
        return factory -> factory.addEngineValves(refused);
    }

    /** A slash or backslash of a topic or an event_id may stand in a path, encoded, and stays what it is. */
    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> tomcatTakesEncodedSlashes() {
        return factory -> factory.addConnectorCustomizers(connector -> {
            connector.setEncodedSolidusHandling(EncodedSolidusHandling.PASS_THROUGH.getValue());
            connector.setEncodedReverseSolidusHandling(EncodedSolidusHandling.PASS_THROUGH.getValue());
        });
    }

    /** The description of the API is written by hand; springdoc serves it. It is read when somebody asks for it first. */
    @Bean
    OpenApiCustomizer writtenDescription(@Value("classpath:openapi.yaml") Resource description) {
        return served -> {
            try (InputStream yaml = description.getInputStream()) {
                BeanUtils.copyProperties(Yaml.mapper().readValue(yaml, OpenAPI.class), served, "servers");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }

    /** The outage of their receiver is told by us. */
    @Bean
    SpanExporters spanExporters(ObjectProvider<SpanExporter> exporters) {
        return SpanExporters.of(exporters.stream().map(SpanExport::new).toList());
    }

    /** Who looks at health and metrics does so for ever, and is not traced. */
    @Bean
    ObservationPredicate managementIsNotObserved() {
        return (name, context) -> !(context instanceof ServerRequestObservationContext request
                && isManagement(Objects.requireNonNull(request.getCarrier()).getRequestURI()));
    }

    private static boolean isManagement(String path) {
        return path.startsWith("/actuator") || RefusedRequests.isHealthCheck(path);
    }

    /** Spring Boot's metrics find nothing to give, and fail, where a header Accept is empty. */
    @Bean
    FilterRegistrationBean<Filter> acceptOfMetricsIsNotEmpty(
            @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        FilterRegistrationBean<Filter> registration = new FilterRegistrationBean<>((request, response, chain) -> {
            HttpServletRequest http = (HttpServletRequest) request;
            if ("".equals(http.getHeader(HttpHeaders.ACCEPT))) {
                problems.resolveException(
                        http,
                        (HttpServletResponse) response,
                        null,
                        new HttpMediaTypeNotAcceptableException("Accept names no media type."));
            } else {
                chain.doFilter(request, response);
            }
        });
        registration.addUrlPatterns("/actuator/prometheus");
        return registration;
    }

    @Bean
    ApplicationListener<ContextClosedEvent> tellsThatItStops() {
        return stop -> LOG.info("Stopping");
    }

    @Bean
    Clock clock() {
        return Clock.systemUTC();
    }
}
