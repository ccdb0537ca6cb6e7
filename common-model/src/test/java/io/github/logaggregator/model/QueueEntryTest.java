package io.github.logaggregator.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.logaggregator.model.QueuedEvent.UndecodableEntryException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QueueEntryTest {
    private static final Event EVENT =
            new Event("orders", "1", Instant.parse("2025-12-08T10:00:00.5Z"), "shöp", "{\"a\": \"x  y\"}");
    private static final String JSON = new String(EventJson.write(EVENT), UTF_8);
    private static final String TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    private static final TraceParent SPAN = new TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    private static final Instant RECEIVED = Instant.parse("2025-12-08T10:00:01.123Z");

    @Test
    void isReadableText() {
        byte[] line = QueuedEvent.encode(RECEIVED, null, JSON);
        assertThat(new String(QueueEntry.encode(List.of(line, line)), UTF_8))
                .isEqualTo("2 2\n1765188001123 - - " + JSON + "\n1765188001123 - - " + JSON);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9, 10, 99, QueueEntry.MAX_EVENTS})
    void givesBackItsEvents(int events) throws Exception {
        byte[] line = QueuedEvent.encode(RECEIVED, null, JSON);
        byte[] entry = QueueEntry.encode(Collections.nCopies(events, line));
        assertThat(entry.length).isLessThanOrEqualTo(events * (line.length + QueueEntry.OVERHEAD));
        List<byte[]> lines = QueueEntry.lines(entry);
        assertThat(lines).hasSize(events);
        for (byte[] same : lines) {
            assertThat(QueuedEvent.decode(same)).isEqualTo(new QueuedEvent(RECEIVED, null, null, EVENT));
        }
    }

    @Test
    void carriesTheSpanOfItsRequest() throws Exception {
        ReplyAddress address = new ReplyAddress("api", 7, 0);
        byte[] line = QueuedEvent.encode(RECEIVED, address, SPAN, JSON);
        assertThat(new String(line, UTF_8)).isEqualTo("1765188001123 api:7:0 " + TRACEPARENT + " " + JSON);
        assertThat(QueuedEvent.decode(line)).isEqualTo(new QueuedEvent(RECEIVED, address, SPAN, EVENT));
        assertThat(QueuedEvent.traceParent(line)).isEqualTo(SPAN);
        assertThat(SPAN.toString()).hasSize(TraceParent.LENGTH);

        byte[] without = QueuedEvent.encode(RECEIVED, address, null, JSON);
        assertThat(without)
                .isEqualTo(QueuedEvent.encode(RECEIVED, address, JSON))
                .hasSize(line.length - 54);
        assertThat(QueuedEvent.traceParent(without)).isNull();
        assertThat(QueuedEvent.decode(without).traceParent()).isNull();
    }

    /** Whatever stands in that field, the event is none the worse for it. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
                "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
                "00-4bf92f3577b34da6-00f067aa0ba902b7-01",
                "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
                "\u0000\u0001\t\u2028",
                "0123456789012345678901234567890123456789012345678901234",
            })
    void holdsNoSpanButOneThatIsSampled(String field) throws Exception {
        byte[] line = ("1765188001123 - " + field + " " + JSON).getBytes(UTF_8);
        assertThat(QueuedEvent.traceParent(line)).isNull();
        assertThat(QueuedEvent.decode(line)).isEqualTo(new QueuedEvent(RECEIVED, null, null, EVENT));
        assertThat(TraceParent.parse(field)).isNull();
    }

    @Test
    void looksForTheSpanInAnything() {
        SplittableRandom random = new SplittableRandom(7);
        byte[] line = QueuedEvent.encode(RECEIVED, null, SPAN, JSON);
        for (int length = 0; length <= line.length; length++) {
            byte[] cut = Arrays.copyOf(line, length);
            TraceParent found = QueuedEvent.traceParent(cut);
            assertThat(found == null || found.equals(SPAN)).isTrue();
            if (length > 0) {
                cut[random.nextInt(length)] = (byte) random.nextInt();
                // Whatever comes of it can be written again.
                TraceParent spoiled = QueuedEvent.traceParent(cut);
                assertThat(spoiled == null || spoiled.equals(TraceParent.parse(spoiled.toString())))
                        .isTrue();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "x, 00f067aa0ba902b7",
        "4bf92f3577b34da6a3ce929d0e0e4736, 0000000000000000",
        "'4bf92f3577b34da6a3ce929d0e0e4736 - {}', 00f067aa0ba902b7",
        "4bf92f3577b34da6a3ce929d0e0e4736, '00f067aa0ba902b\n'"
    })
    void aSpanHasIdsThatAreSome(String traceId, String spanId) {
        assertThatExceptionOfType(IllegalArgumentException.class).isThrownBy(() -> new TraceParent(traceId, spanId));
    }

    @Test
    void tellsWhereToReplyAlsoOfALineWithoutAnEvent() throws Exception {
        ReplyAddress address = new ReplyAddress("api", 7, 99);
        byte[] line = QueuedEvent.encode(RECEIVED, address, JSON);
        assertThat(QueuedEvent.decode(line)).isEqualTo(new QueuedEvent(RECEIVED, address, null, EVENT));
        assertThat(QueuedEvent.replyTo("1765188001123 api:7:99 - {".getBytes(UTF_8)))
                .isEqualTo(address);
        for (String nowhere :
                List.of("", "x", "1 - - {}", "1 api:7 - {}", "1 :7:0 - {}", "1 api:x:0 - {}", "1 a:b:7:0 - ")) {
            assertThat(QueuedEvent.replyTo(nowhere.getBytes(UTF_8))).isNull();
        }
        assertThat(QueuedEvent.decode(("1765188001123 nobody - " + JSON).getBytes(UTF_8)))
                .isEqualTo(new QueuedEvent(RECEIVED, null, null, EVENT));
    }

    @Test
    void holdsAnEventThatWasSentOnSeveralLines() throws Exception {
        String sent = JSON.replace(",", "\r\n , \n").replace("{", "{\n");
        byte[] line = QueuedEvent.encode(RECEIVED, null, sent);
        List<byte[]> lines = QueueEntry.lines(QueueEntry.encode(List.of(line, line)));
        assertThat(lines).hasSize(2);
        Event event = QueuedEvent.decode(lines.getFirst()).event();
        assertThat(event.topic()).isEqualTo("orders");
        assertThat(event.payload().replaceAll("[\\r\\n{} ]", "")).isEqualTo("\"a\":\"xy\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "{}",
                "2",
                "2 1",
                "2 1\n",
                "3 1\n1765188001123 - - {}",
                "1765188001123 - -",
                "1 1765188001123 - - {}",
                "not-a-number- - - {}",
                "9223372036854775807 - - {}",
                "-123456789012 - - {}",
                "1765188001123 - - {\"\\u0000\":1}",
                "1765188001123 - - {}",
                "1765188001123 - - {",
                "garbage garbage garbage garbage garbage"
            })
    void refusesWhatNoneOfOursWrote(String entry) {
        for (byte[] bytes : List.of(entry.getBytes(UTF_8), new byte[] {(byte) 0xff, 0, 1})) {
            assertThat(QueueEntry.lines(bytes))
                    .singleElement()
                    .satisfies(line -> assertThatExceptionOfType(UndecodableEntryException.class)
                            .isThrownBy(() -> QueuedEvent.decode(line))
                            .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\0")));
        }
    }

    /** The scripts in Redis count the events by the first line alone, and the books must balance whatever lies there. */
    @ParameterizedTest
    @CsvSource({"2 3/a, 3", "2 3/a/b, 3", "2 3/a/b/c/d, 3", "2 999/a, 999", "2 0/a, 1", "2 01/a, 1", "2 1000/a, 1"})
    void hasAsManyLinesAsItsFirstOneSays(String entry, int lines) {
        assertThat(QueueEntry.lines(entry.replace('/', '\n').getBytes(UTF_8)))
                .hasSize(lines)
                .allSatisfy(line -> assertThatExceptionOfType(UndecodableEntryException.class)
                        .isThrownBy(() -> QueuedEvent.decode(line)));
    }
}
