/** Takes events in and puts them on the queue; gives events and the books out. {@link PublishController} takes, {@link EventsController} and {@link StatsController} give. */
@NullMarked
package io.github.logaggregator.api;

import org.jspecify.annotations.NullMarked;
