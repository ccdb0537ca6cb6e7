package io.github.logaggregator.api;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/** The settings under {@code api}; application.yml has their meaning and defaults. */
@ConfigurationProperties("api")
@Validated
record ApiProperties(
        DataSize maxEventSize,
        DataSize maxRequestSize,
        @Min(1) @Max(100_000) int maxRequestEvents,
        DataSize maxBodiesInHand,
        @Valid Queue queue,
        @Min(0) int maxWaiting,
        @Valid Subscribers subscribers,
        @Min(1) int maxExports,
        @Min(0) int maxPages,
        List<String> payloadIndexes,
        String reachableAt,
        boolean openWithoutKeys,
        @DurationMin(seconds = 1) Duration retryAfter) {
    ApiProperties {
        if (maxEventSize.compareTo(maxRequestSize) > 0 || maxRequestSize.compareTo(maxBodiesInHand) > 0) {
            throw new IllegalArgumentException(
                    "api.max-event-size must not exceed api.max-request-size, nor that api.max-bodies-in-hand");
        }
    }

    /** Whether nobody but this machine can reach the API. */
    boolean isOnLoopbackOnly() {
        try {
            // Java would take nothing for the loopback address, where a server takes it for every address.
            return !reachableAt.isBlank() && InetAddress.getByName(reachableAt).isLoopbackAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /** The settings under {@code api.queue}. */
    record Queue(@Min(1) long maxEvents, DataSize maxSize) {}

    /** The settings under {@code api.subscribers}. */
    record Subscribers(
            @Min(0) int max, @DurationMin(millis = 100) Duration heartbeat) {}
}
