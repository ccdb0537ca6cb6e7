package io.github.logaggregator.api;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import org.springframework.core.io.ClassPathResource;

/** Reads the scripts and statements that stand in files of their own, once: they never change while a service runs. */
final class ResourceText {
    private ResourceText() {}

    /** The text of a file of this service's class path, such as {@code sql/totals.sql}. */
    static String of(String path) {
        try {
            return new ClassPathResource(path).getContentAsString(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
