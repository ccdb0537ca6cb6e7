package io.github.logaggregator.worker;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
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
        @DurationMin(seconds = 1) Duration stopTimeout) {
    WorkerProperties {
        if (claimMaxBytes.toBytes() < 1) {
            throw new IllegalArgumentException("worker.claim-max-bytes must be at least 1");
        }
        if (lease.compareTo(fence) > 0) {
            throw new IllegalArgumentException("worker.lease must not exceed worker.fence");
        }
    }
}
