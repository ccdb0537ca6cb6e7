package io.github.logaggregator.publisher;

import io.github.logaggregator.model.EventParser;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotEmpty;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.validation.annotation.Validated;

/**
 * The options of a run. Their defaults, and what they mean to a user, stand in application.yml.
 *
 * @param target base address of the API
 * @param key for the API; empty for none
 * @param sslBundle the bundle (spring.ssl.bundle) by which the API's certificate is verified; null for what the JDK trusts
 * @param count how many events to send, re-sends included; without meaning when there is an input
 * @param duplicateRatio the share of re-sends in all that is sent, from 0 to below 1; decimal, so that the share of a
 *     count is exact
 * @param topics the topics of generated events
 * @param payloadSize the least size of a generated payload, in bytes
 * @param seed makes the run the same again, ids included; null for fresh ids
 * @param input a file with one event a line, {@code -} for standard input, null to generate events
 * @param batchSize events of one request
 * @param concurrency requests under way at one time
 * @param rate events per second at most; 0 for as fast as possible
 * @param connectTimeout how long one attempt may take to connect
 * @param requestTimeout how long one attempt may take in all, the answer's body included
 * @param retryFor how long a request is tried, waits between attempts included
 * @param waitForApi how long to wait for the API to be ready
 * @param waitForDrain how long to wait, after the last event, for the queue to be empty
 */
@Validated
@ConfigurationProperties(prefix = "publisher", ignoreUnknownFields = false)
record PublisherProperties(
        @NotNull @Pattern(regexp = "https?://[^\\s/?#]+(/[^\\s?#]*)?", message = "must be like http://localhost:8080")
        String target,

        @NotNull @Pattern(regexp = "([A-Za-z0-9._~+/-]+=*)?", message = "is no key")
        String key,

        @Nullable String sslBundle,
        @Positive long count,

        @NotNull @DecimalMin("0") @DecimalMax(value = "1", inclusive = false)
        BigDecimal duplicateRatio,

        @NotEmpty List<@NotBlank @Size(max = EventParser.MAX_NAME_LENGTH) String> topics,
        @PositiveOrZero int payloadSize,
        @Nullable Long seed,
        @Nullable String input,
        @Positive int batchSize,
        @Positive int concurrency,
        @PositiveOrZero @Max(1_000_000) int rate,
        @NotNull @DurationMin(millis = 1) Duration connectTimeout,
        @NotNull @DurationMin(millis = 1) Duration requestTimeout,
        @NotNull @DurationMin Duration retryFor,
        @NotNull @DurationMin Duration waitForApi,
        @NotNull @DurationMin Duration waitForDrain) {

    /** The address of one of the API's resources. */
    URI resource(String path) {
        return URI.create(target.replaceFirst("/+$", "") + path);
    }

    /** A request to one of the API's resources, with the key, if there is one. */
    HttpRequest.Builder request(String path) {
        HttpRequest.Builder request = HttpRequest.newBuilder(resource(path));
        return key.isEmpty() ? request : request.header("Authorization", "Bearer " + key);
    }

    /** A duration as it is written in an option, such as {@code 1m30s}. */
    static String text(Duration duration) {
        return duration.toString().substring("PT".length()).toLowerCase(Locale.ROOT);
    }
}
