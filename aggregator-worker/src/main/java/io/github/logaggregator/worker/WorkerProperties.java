package io.github.logaggregator.worker;

import io.github.logaggregator.model.TopicPattern;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotEmpty;
import java.time.Duration;
import java.util.List;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/** The settings under {@code worker}; application.yml has their meaning and defaults. */
@ConfigurationProperties("worker")
@Validated
record WorkerProperties(
        @Min(1) @Max(16) int loops,
        @Min(1) @Max(10_000) int claimMaxEvents,
        DataSize claimMaxBytes,
        @DurationMin(seconds = 1) Duration lease,
        @DurationMin(millis = 100) Duration rescueInterval,

        @DurationMin(millis = 10) @DurationMax(millis = 2_000)
        Duration waitTimeout,

        @DurationMin(seconds = 1) Duration fence,
        @DurationMin(millis = 100) Duration pruneInterval,
        @DurationMin(seconds = 1) Duration stopTimeout,
        @DefaultValue List<@Valid Retention> retention) {
    WorkerProperties {
        retention = List.copyOf(retention);
        if (claimMaxBytes.toBytes() < 1) {
            throw new IllegalArgumentException("worker.claim-max-bytes must be at least 1");
        }
        if (lease.compareTo(fence) > 0) {
            throw new IllegalArgumentException("worker.lease must not exceed worker.fence");
        }
    }

    /** How long events of a topic are kept, as the first pattern that fits it says; null for ever. */
    @Nullable
    Duration keep(String topic) {
        return retention.stream()
                .filter(rule -> rule.covers(topic))
                .findFirst()
                .map(Retention::keep)
                .orElse(null);
    }

    /**
     * How long events of some topics are kept.
     *
     * @param topics a {@link TopicPattern}
     * @param keep from the time at which an event was stored; null for ever
     */
    record Retention(
            @NotEmpty String topics,

            @DurationMin(seconds = 1) @DurationMax(days = 36_500) @Nullable
            Duration keep) {
        boolean covers(String topic) {
            return new TopicPattern(topics).covers(topic);
        }
    }
}
