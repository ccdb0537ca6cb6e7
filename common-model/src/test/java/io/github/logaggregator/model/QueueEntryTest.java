package io.github.logaggregator.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.logaggregator.model.QueueEntry.UndecodableEntryException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QueueEntryTest {
    private static final Event EVENT =
            new Event("orders", "1", Instant.parse("2025-12-08T10:00:00.5Z"), "shop", "{\"a\": \"x  y\"}");
    private static final Instant RECEIVED = Instant.parse("2025-12-08T10:00:01.123Z");

    @Test
    void isReadableText() {
        assertThat(new String(QueueEntry.of(RECEIVED, EVENT).encode(), UTF_8))
                .isEqualTo(
                        "1 1765188001123 - - {\"topic\":\"orders\",\"event_id\":\"1\","
                                + "\"timestamp\":\"2025-12-08T10:00:00.500Z\",\"source\":\"shop\",\"payload\":{\"a\": \"x  y\"}}");
    }

    @Test
    void comesBackAsItWas() throws Exception {
        QueueEntry entry = QueueEntry.of(RECEIVED, EVENT);
        assertThat(QueueEntry.decode(entry.encode())).isEqualTo(entry);
        QueueEntry full = new QueueEntry(RECEIVED, "reply:1", "00-4bf92f3577b34da6-00f067aa0ba902b7-01", EVENT);
        assertThat(QueueEntry.decode(full.encode())).isEqualTo(full);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "{}",
                "2 1765188001123 - - {}",
                "1 1765188001123 - -",
                "1 soon - - {}",
                "1 9223372036854775807 - - {}",
                "1 -1 - - {}",
                "1 1765188001123 - - {\"\\u0000\":1}",
                "1 1765188001123 - - {}",
                "1 1765188001123 - - {",
                "garbage garbage garbage garbage garbage"
            })
    void refusesWhatNoneOfOursWrote(String entry) {
        assertThatExceptionOfType(UndecodableEntryException.class)
                .isThrownBy(() -> QueueEntry.decode(entry.getBytes(UTF_8)))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\0"));
        assertThatExceptionOfType(UndecodableEntryException.class)
                .isThrownBy(() -> QueueEntry.decode(new byte[] {(byte) 0xff, 0, 1}));
    }
}
