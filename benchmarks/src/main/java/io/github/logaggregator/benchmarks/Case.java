package io.github.logaggregator.benchmarks;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A row of the result.
 *
 * @param name what was measured
 * @param value median of what was measured
 * @param unit of the value, and of what it is measured against
 * @param against median of what the value is measured against; null if that is the goal itself
 * @param ratio median of the rounds' ratios of the two
 * @param goal in words
 * @param reached whether the goal is reached
 * @param spread how far the rounds lie apart, as a share of the median: of the ratio, or else of the value
 * @param details what else was measured, by name and unit
 * @param scaledDown whether it was smaller than it is meant to be
 */
record Case(
        @JsonProperty("name") String name,
        @JsonProperty("value") double value,
        @JsonProperty("unit") String unit,
        @JsonProperty("against") @Nullable Double against,
        @JsonProperty("ratio") @Nullable Double ratio,
        @JsonProperty("goal") String goal,
        @JsonProperty("reached") boolean reached,
        @JsonProperty("spread") double spread,

        @JsonProperty("details") @JsonInclude(JsonInclude.Include.NON_EMPTY)
        Map<String, Double> details,

        @JsonProperty("scaled_down") boolean scaledDown) {}
