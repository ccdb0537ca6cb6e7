/** Tests of the API's arithmetic; everything else of it is tested black-box in tests-integration. */
@NullMarked
package io.github.logaggregator.api;

import org.jspecify.annotations.NullMarked;
