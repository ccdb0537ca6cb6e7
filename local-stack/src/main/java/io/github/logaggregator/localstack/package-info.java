/** The whole system on one machine without Docker: a demonstration for people, a harness for tests and benchmarks. */
@NullMarked
package io.github.logaggregator.localstack;

import org.jspecify.annotations.NullMarked;
