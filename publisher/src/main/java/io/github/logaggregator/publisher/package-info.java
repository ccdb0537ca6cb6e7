/** Sends events as a retrying producer does, duplicates included, and checks that the system's books balance after. */
@NullMarked
package io.github.logaggregator.publisher;

import org.jspecify.annotations.NullMarked;
