/** Tests of what in the worker needs no store; everything else of it is tested black-box in tests-integration. */
@NullMarked
package io.github.logaggregator.worker;

import org.jspecify.annotations.NullMarked;
