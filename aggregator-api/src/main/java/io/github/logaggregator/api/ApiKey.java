package io.github.logaggregator.api;

import io.github.logaggregator.model.TopicPattern;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Who somebody is, and what that one may do. The key itself is known to nobody but its owner.
 *
 * @param hash of the key's text, see {@link #hash}
 * @param topics for which it is, in any of its scopes
 * @param expires from when on it is not valid; null if it always is
 * @param revoked since when it is not valid; null if it was not revoked
 */
record ApiKey(
        long id,
        String name,
        String hash,
        Set<Scope> scopes,
        List<TopicPattern> topics,
        Instant created,
        @Nullable Instant expires,
        @Nullable Instant revoked) {
    /** Whoever comes while no key is asked for. */
    static final ApiKey EVERYBODY = new ApiKey(
            0, "everybody", "", EnumSet.allOf(Scope.class), List.of(new TopicPattern("*")), Instant.EPOCH, null, null);

    /** What a key is for. None of them has another one in it. */
    enum Scope {
        PUBLISH,
        READ,
        ADMIN;

        /** As it is written. */
        String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** SHA-256, in hexadecimal digits: of 256 random bits it can't be turned back, however quick it is. */
    static String hash(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has it", e);
        }
    }

    boolean isValid(Instant now) {
        return revoked == null && (expires == null || now.isBefore(expires));
    }

    boolean covers(String topic) {
        for (TopicPattern pattern : topics) {
            if (pattern.covers(topic)) {
                return true;
            }
        }
        return false;
    }

    boolean coversAll() {
        for (TopicPattern pattern : topics) {
            if (pattern.coversAll()) {
                return true;
            }
        }
        return false;
    }

    /** As they are written: {@code orders.*,payments}. */
    String topicsText() {
        return topics.stream().map(TopicPattern::toString).collect(Collectors.joining(","));
    }
}
