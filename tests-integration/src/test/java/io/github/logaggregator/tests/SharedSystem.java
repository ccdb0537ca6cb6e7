package io.github.logaggregator.tests;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * The tests of this class get, as a parameter, the one {@link AggregatorSystem} of the whole run, with one API and one
 * worker, while no other class uses it. They leave it running, use topics of their own, and count nothing but those.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(SystemExtension.class)
@ResourceLock("the shared system")
@interface SharedSystem {}
