package io.github.logaggregator.tests;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Each test gets, as a parameter, an {@link AggregatorSystem} of its own, new and empty, to do with as it likes. What a
 * method with {@code @BeforeAll} gets is its class's, for tests that leave it running.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(SystemExtension.class)
@interface OwnSystem {
    int apis() default 1;

    int workers() default 1;
}
