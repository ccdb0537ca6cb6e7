/** Moves events from Redis to PostgreSQL: claim, settle, acknowledge. {@link WorkerLoop} is the place to start. */
@NullMarked
package io.github.logaggregator.worker;

import org.jspecify.annotations.NullMarked;
