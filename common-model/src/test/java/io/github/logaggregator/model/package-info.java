/** Tests of what crosses a process boundary. */
@NullMarked
package io.github.logaggregator.model;

import org.jspecify.annotations.NullMarked;
