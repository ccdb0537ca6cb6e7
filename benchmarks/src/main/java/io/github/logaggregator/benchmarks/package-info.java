/** Measures the system against what the machine could do, in the same run. */
@NullMarked
package io.github.logaggregator.benchmarks;

import org.jspecify.annotations.NullMarked;
