/**
 * What crosses a process boundary: the event and the rules it must meet, the HTTP contract, the entry that lies on the
 * Redis list, and the names of the Redis keys.
 */
@NullMarked
package io.github.logaggregator.model;

import org.jspecify.annotations.NullMarked;
