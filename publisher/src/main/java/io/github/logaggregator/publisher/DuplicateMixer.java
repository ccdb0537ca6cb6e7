package io.github.logaggregator.publisher;

import io.github.logaggregator.model.Event;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.LongUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * Mixes re-sends of earlier events at random among the events of a source, to an exact share of all. Its memory does
 * not grow with the number of events: what it sends again is one of about a thousand earlier ones, old and new.
 */
final class DuplicateMixer implements Iterator<Event> {
    private static final int MAX_REMEMBERED = 1_000;
    private static final long MAX_REMEMBERED_CHARACTERS = 16L * 1024 * 1024;

    private final Iterator<Event> originals;
    private final LongUnaryOperator owed;
    private final RandomGenerator random;
    private final List<Event> remembered = new ArrayList<>();
    private long rememberedCharacters;
    private long distinct;
    private long resent;

    /** @param owed how many re-sends are due after so many originals; must not shrink */
    private DuplicateMixer(Iterator<Event> originals, LongUnaryOperator owed, RandomGenerator random) {
        this.originals = originals;
        this.owed = owed;
        this.random = random;
    }

    /**
     * How many of {@code count} sends are re-sends: the share, rounded half up, but never all of them.
     *
     * @param count at least 1
     */
    static long resendsAmong(long count, BigDecimal ratio) {
        long share = rounded(ratio.multiply(BigDecimal.valueOf(count)));
        return Math.min(share, count - 1);
    }

    /** Makes {@code count} sends in all of a source of {@code count - resendsAmong(count, ratio)} events. */
    static DuplicateMixer ofCount(Iterator<Event> originals, long count, BigDecimal ratio, RandomGenerator random) {
        long resends = resendsAmong(count, ratio);
        BigDecimal perOriginal = BigDecimal.valueOf(resends);
        BigDecimal total = BigDecimal.valueOf(count - resends);
        return new DuplicateMixer(
                originals,
                sent -> perOriginal
                        .multiply(BigDecimal.valueOf(sent))
                        .divide(total, 0, RoundingMode.DOWN)
                        .longValueExact(),
                random);
    }

    /** Sends all of a source, however long it is, so that re-sends are the given share of all sends, rounded. */
    static DuplicateMixer ofAll(Iterator<Event> originals, BigDecimal ratio, RandomGenerator random) {
        BigDecimal share = BigDecimal.ONE.subtract(ratio);
        return new DuplicateMixer(
                originals,
                sent -> BigDecimal.valueOf(sent)
                                .divide(share, 0, RoundingMode.HALF_UP)
                                .longValueExact()
                        - sent,
                random);
    }

    private static long rounded(BigDecimal number) {
        return number.setScale(0, RoundingMode.HALF_UP).longValueExact();
    }

    @Override
    public boolean hasNext() {
        return backlog() > 0 || originals.hasNext();
    }

    @Override
    public Event next() {
        // The more re-sends are due, the likelier is one: the mix is random, and yet the backlog stays small.
        long backlog = backlog();
        if (backlog > 0 && (random.nextLong(backlog + 1) > 0 || !originals.hasNext())) {
            resent++;
            return remembered.get(random.nextInt(remembered.size()));
        }
        if (!originals.hasNext()) {
            throw new NoSuchElementException();
        }
        Event event = originals.next();
        distinct++;
        remember(event);
        return event;
    }

    /** How many events of the source were given out so far. */
    long distinct() {
        return distinct;
    }

    /** How many re-sends were given out so far. */
    long resent() {
        return resent;
    }

    private long backlog() {
        return owed.applyAsLong(distinct) - resent;
    }

    private void remember(Event event) {
        remembered.add(event);
        rememberedCharacters += event.payload().length();
        while (remembered.size() > 1
                && (remembered.size() > MAX_REMEMBERED || rememberedCharacters > MAX_REMEMBERED_CHARACTERS)) {
            Event newest = remembered.removeLast();
            int forgotten = random.nextInt(remembered.size());
            rememberedCharacters -= remembered.set(forgotten, newest).payload().length();
        }
    }
}
