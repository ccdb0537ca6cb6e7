package io.github.logaggregator.model;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.chrono.IsoChronology;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.ResolverStyle;
import java.time.temporal.ChronoUnit;
import java.time.temporal.TemporalAccessor;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads the times of events, as of ISO 8601, at the resolution of the database. */
public final class Timestamps {
    private static final String USUAL_TIMESTAMP = "0000-00-00T00:00:00Z";
    private static final Instant FIRST_INSTANT = Instant.parse("0001-01-01T00:00:00Z");
    private static final Instant LAST_INSTANT = Instant.parse("+10000-01-01T00:00:00Z");

    private static final DateTimeFormatter ISO_8601 = new DateTimeFormatterBuilder()
            .parseCaseInsensitive()
            .append(DateTimeFormatter.ISO_LOCAL_DATE_TIME)
            .optionalStart()
            // Leniently, +02:00, +0200 and +02 are all read.
            .parseLenient()
            .appendOffset("+HH", "Z")
            .parseStrict()
            .optionalEnd()
            .toFormatter(Locale.ROOT)
            .withChronology(IsoChronology.INSTANCE)
            .withResolverStyle(ResolverStyle.STRICT);

    private Timestamps() {}

    /**
     * The instant in microseconds, by the rules for the timestamp of an event.
     *
     * @throws InvalidEventException if there is none; names the field
     */
    public static Instant parse(String field, String text) throws InvalidEventException {
        EventFaults faults = new EventFaults();
        Instant instant = parse(field, text, faults);
        faults.check();
        return Objects.requireNonNull(instant);
    }

    /** The instant in microseconds; null if there is none, which is then noted as a fault of the field. */
    static @Nullable Instant parse(String field, String text, EventFaults faults) {
        try {
            Instant instant = isUsual(text) ? usual(text) : anyOf8601(text);
            if (instant.isBefore(FIRST_INSTANT) || !instant.isBefore(LAST_INSTANT)) {
                faults.add(field, "must lie in the years 1 to 9999");
            }
            return instant.truncatedTo(ChronoUnit.MICROS);
        } catch (DateTimeException e) {
            faults.add(field, "must be a time as of ISO 8601, such as 2025-12-08T10:00:00Z");
            return null;
        }
    }

    private static Instant anyOf8601(String text) {
        TemporalAccessor time = ISO_8601.parseBest(text, OffsetDateTime::from, LocalDateTime::from);
        return time instanceof OffsetDateTime withOffset
                ? withOffset.toInstant()
                : LocalDateTime.from(time).toInstant(ZoneOffset.UTC);
    }

    /**
     * Whether a timestamp has the form that most producers write, {@value #USUAL_TIMESTAMP} or with a fraction. Read by
     * the formatter, which knows all the others, it would take half of the time of the whole event.
     */
    private static boolean isUsual(String text) {
        int last = text.length() - 1;
        int seconds = USUAL_TIMESTAMP.length() - 1;
        boolean hasLength = last == seconds || (last > seconds + 1 && last <= seconds + 10);
        if (!hasLength || text.charAt(last) != 'Z') {
            return false;
        }
        for (int i = 0; i < last; i++) {
            char c = text.charAt(i);
            char pattern = i < seconds ? USUAL_TIMESTAMP.charAt(i) : i == seconds ? '.' : '0';
            if (pattern == '0' ? (c < '0' || c > '9') : c != pattern) {
                return false;
            }
        }
        return true;
    }

    private static Instant usual(String text) {
        int last = text.length() - 1;
        int nanos = 0;
        for (int i = 20; i < 29; i++) {
            nanos = 10 * nanos + (i < last ? text.charAt(i) - '0' : 0);
        }
        return LocalDateTime.of(
                        number(text, 0, 4),
                        number(text, 5, 7),
                        number(text, 8, 10),
                        number(text, 11, 13),
                        number(text, 14, 16),
                        number(text, 17, 19),
                        nanos)
                .toInstant(ZoneOffset.UTC);
    }

    private static int number(String text, int from, int to) {
        return Integer.parseInt(text, from, to, 10);
    }
}
