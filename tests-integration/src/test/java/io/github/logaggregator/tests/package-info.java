/** The promises, tested from outside: over HTTP, in the stores' content, and by killing real processes. */
@NullMarked
package io.github.logaggregator.tests;

import org.jspecify.annotations.NullMarked;
