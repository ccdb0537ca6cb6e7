/** What the publisher promises, shown against a scripted API on the loopback. */
@NullMarked
package io.github.logaggregator.publisher;

import org.jspecify.annotations.NullMarked;
