package io.github.logaggregator.publisher;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class DuplicateMixerTest {
    @ParameterizedTest
    @CsvSource({
        "1000, 0.3, 300",
        "1000, 0, 0",
        "1, 0.3, 0",
        "1, 0.99, 0",
        "2, 0.99, 1",
        "10, 0.25, 3",
        "100, 0.285, 29",
        "1000, 0.999, 999",
        "999, 0.333, 333"
    })
    void resendsExactlyTheShareOfACount(long count, BigDecimal ratio, long resends) {
        long distinct = count - DuplicateMixer.resendsAmong(count, ratio);
        DuplicateMixer mixer = DuplicateMixer.ofCount(events(distinct), count, ratio, new SplittableRandom(1));

        List<Event> sent = all(mixer);

        assertThat(sent).hasSize((int) count);
        assertThat(new HashSet<>(sent)).hasSize((int) (count - resends));
        assertThat(mixer.distinct()).isEqualTo(count - resends);
        assertThat(mixer.resent()).isEqualTo(resends);
    }

    @ParameterizedTest
    @CsvSource({"700, 0.3, 1000", "10000, 0.3, 14286", "1, 0.5, 2", "3, 0, 3", "0, 0.3, 0"})
    void resendsExactlyTheShareOfASourceOfUnknownLength(long originals, BigDecimal ratio, int sends) {
        List<Event> sent = all(DuplicateMixer.ofAll(events(originals), ratio, new SplittableRandom(1)));

        assertThat(sent).hasSize(sends);
        assertThat(new HashSet<>(sent)).hasSize((int) originals);
    }

    @Test
    void spreadsTheResendsOverTheWholeRun() {
        List<Event> sent =
                all(DuplicateMixer.ofCount(events(7_000), 10_000, new BigDecimal("0.3"), new SplittableRandom(1)));

        Set<Event> seen = new HashSet<>();
        int[] resendsByTenth = new int[10];
        for (int i = 0; i < sent.size(); i++) {
            if (!seen.add(sent.get(i))) {
                resendsByTenth[i / 1_000]++;
            }
        }
        assertThat(Arrays.stream(resendsByTenth).boxed())
                .allSatisfy(resends -> assertThat(resends).isBetween(250, 350));
    }

    @Test
    void resendsOnlyEventsOfLateSoThatMemoryStaysFlat() {
        DuplicateMixer mixer =
                DuplicateMixer.ofCount(events(500_000), 1_000_000, new BigDecimal("0.5"), new SplittableRandom(1));
        long newest = 0;
        long oldestAge = 0;
        while (mixer.hasNext()) {
            long number = Long.parseLong(mixer.next().eventId());
            newest = Math.max(newest, number);
            oldestAge = Math.max(oldestAge, newest - number);
        }

        assertThat(mixer.resent()).isEqualTo(500_000);
        assertThat(oldestAge).isBetween(1_000L, 30_000L);
    }

    private static Iterator<Event> events(long count) {
        return LongStream.range(0, count)
                .mapToObj(i -> new Event("orders", Long.toString(i), Instant.EPOCH, "test", "{}"))
                .iterator();
    }

    private static List<Event> all(DuplicateMixer mixer) {
        List<Event> events = new ArrayList<>();
        mixer.forEachRemaining(events::add);
        return events;
    }
}
