package io.github.logaggregator.model;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.groups.Tuple.tuple;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.time.Instant;
import java.util.List;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EventParserTest {
    private static final String EVENT = """
            {"topic":"orders","event_id":"1","timestamp":"2025-12-08T10:00:00Z","source":"shop","payload":{"amount":500}}\
            """;

    private static PublishRequest parse(String json) throws MalformedJsonException, InvalidEventException {
        return EventParser.parseRequest(json.getBytes(UTF_8));
    }

    private static Event parseWith(String field, String value) throws MalformedJsonException, InvalidEventException {
        return parse(with(field, value)).events().getFirst().event();
    }

    /** The event, with one field's JSON replaced. */
    private static String with(String field, String value) {
        return EVENT.replaceFirst(
                "\"" + field + "\":(\"[^\"]*\"|\\{[^}]*})", Matcher.quoteReplacement("\"" + field + "\":" + value));
    }

    private static List<EventFault> faultsOf(String json) {
        return catchThrowableOfType(InvalidEventException.class, () -> parse(json))
                .faults();
    }

    private static void assertFault(String json, String field, String message) {
        assertThat(faultsOf(json)).singleElement().satisfies(fault -> {
            assertThat(fault.field()).isEqualTo(field);
            assertThat(fault.message()).contains(message);
        });
    }

    @Test
    void readsASingleEvent() throws Exception {
        PublishRequest request = parse(EVENT);
        assertThat(request.single()).isTrue();
        assertThat(request.events())
                .containsExactly(new SentEvent(
                        new Event("orders", "1", Instant.parse("2025-12-08T10:00:00Z"), "shop", "{\"amount\":500}"),
                        EVENT));
    }

    @Test
    void readsAnArrayAndAWrappedArrayAlike() throws Exception {
        String array = "[" + EVENT + ", " + EVENT + "]";
        PublishRequest bare = parse(array);
        PublishRequest wrapped = parse("{\"events\": " + array + "}");
        assertThat(bare).isEqualTo(wrapped);
        assertThat(bare.single()).isFalse();
        assertThat(bare.events()).hasSize(2);
    }

    @Test
    void readsWhatEventJsonWrites() throws Exception {
        Event event = new Event("t😀", "\"id\\", Instant.parse("2025-12-08T10:00:00.123456Z"), "ü", "{\"a\":[1.10]}");
        assertThat(EventParser.parseEvent(new String(EventJson.write(event), UTF_8)))
                .isEqualTo(event);
        assertThat(EventParser.parseRequest(EventJson.write(List.of(event, event)))
                        .events())
                .extracting(SentEvent::event)
                .containsExactly(event, event);
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s", " \n%s ", "[%s]", "[ %s ,{0}]", "{\"events\":[%s]}", "{ \"events\" :\t[ %s ] }"})
    void keepsEachEventAsItWasSent(String request) throws Exception {
        String sent =
                "{ \"source\": \"é😀\",\n\"payload\" :{\"a\": [1.0,\"}\"]},\r\n \"topic\":\"\\u0041\", \"event_id\":\"1\","
                        + "\"timestamp\": \"2025-12-08T10:00:00Z\" }";
        SentEvent event = parse(request.replace("%s", sent).replace("{0}", EVENT))
                .events()
                .getFirst();
        assertThat(event.json()).isEqualTo(sent);
        assertThat(event.event().topic()).isEqualTo("A");
        assertThat(EventParser.parseEvent(event.json())).isEqualTo(event.event());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "{ \"a\" : 12345678901234567890.10 }",
                "{\"a\":[{\"a\":{}},[],null,true,-0.0,1e2,\"\\ud83d\\ude00 \\u00e9 😀\"]}",
                "{\"\":\"\"}",
                "{\"a\":{\"x\":1},\"b\":{\"x\":1}}"
            })
    void keepsThePayloadAsItWasSent(String payload) throws Exception {
        assertThat(parseWith("payload", payload).payload()).isEqualTo(payload);
    }

    @Test
    void keepsALargePayloadAsItWasSent() throws Exception {
        String payload = "{\"text\":\"" + "é😀x".repeat(300_000) + "\"}";
        assertThat(parse("[" + EVENT + "," + with("payload", payload) + "]")
                        .events()
                        .get(1)
                        .event()
                        .payload())
                .isEqualTo(payload);
    }

    @ParameterizedTest
    @CsvSource({
        "2025-12-08T10:00:00Z, 2025-12-08T10:00:00Z",
        "2025-12-08T10:00:00, 2025-12-08T10:00:00Z",
        "2025-12-08T10:00, 2025-12-08T10:00:00Z",
        "2025-12-08t10:00:00z, 2025-12-08T10:00:00Z",
        "2025-12-08T10:00:00+02:00, 2025-12-08T08:00:00Z",
        "2025-12-08T10:00:00-0530, 2025-12-08T15:30:00Z",
        "2025-12-08T10:00:00+01, 2025-12-08T09:00:00Z",
        "2025-12-08T10:00:00.5Z, 2025-12-08T10:00:00.500Z",
        "2025-12-08T10:00:00.000001Z, 2025-12-08T10:00:00.000001Z",
        "2025-12-08T10:00:00.1234567Z, 2025-12-08T10:00:00.123456Z",
        "2025-12-08T10:00:00.999999999Z, 2025-12-08T10:00:00.999999Z",
        "1969-12-31T23:59:59.9999999Z, 1969-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z, 0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z, 9999-12-31T23:59:59.999999Z",
        "2024-02-29T00:00:00Z, 2024-02-29T00:00:00Z",
    })
    void readsTimestampsAsInstantsInMicroseconds(String text, Instant instant) throws Exception {
        assertThat(parseWith("timestamp", "\"" + text + "\"").timestamp()).isEqualTo(instant);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "now",
                "2025-12-08",
                "10:00:00",
                "2025-02-29T00:00:00Z",
                "2025-12-08T24:00:00Z",
                "2025-12-08T10:00:60Z",
                "2025-12-08T10:00:00.1234567890Z",
                "2025-12-08T10:00:00.12345678x",
                "2025-13-08T10:00:00Z",
                "2025-12-08 10:00:00",
                "2025-12-08T10:00:00+25:00",
                "1765188000",
                "2025-12-08T10:00:00Z ",
                "2025-12-08T10:00:00[Europe/Berlin]",
                "0000-01-01T00:00:00Z",
                "0001-01-01T00:00:00+01:00",
                "9999-12-31T23:59:59-01:00",
                "+10000-01-01T00:00:00Z"
            })
    void refusesTimestampsThatAreNone(String text) {
        assertFault(with("timestamp", "\"" + text + "\""), "timestamp", "must");
    }

    @ParameterizedTest
    @ValueSource(strings = {"topic", "event_id", "source"})
    void boundsNames(String field) throws Exception {
        assertThat(parse(with(field, "\"" + "😀".repeat(255) + "\"")).events()).hasSize(1);
        assertFault(with(field, "\"" + "😀".repeat(256) + "\""), field, "1 to 255 characters, not 256");
        assertFault(with(field, "\"\""), field, "1 to 255 characters, not 0");
        assertFault(with(field, "5"), field, "must be a string");
        assertFault(with(field, "null"), field, "must be a string");
        assertFault(with(field, "{\"a\":[1]}"), field, "must be a string");
        assertFault(with(field, "\"a\\u0000b\""), field, "control characters");
        assertFault(with(field, "\"a\\nb\""), field, "control characters");
        assertFault(with(field, "\"a\\u0085b\""), field, "control characters");
        assertFault(with(field, "\"id\\ud800\""), field, "unpaired surrogates");
        assertFault(with(field, "\"\\udc01id\""), field, "unpaired surrogates");
        assertFault(with(field, "\"\\ude00\\ud83d\""), field, "unpaired surrogates");
    }

    @Test
    void refusesWhatAPayloadCannotGiveBack() {
        assertFault(with("payload", "[]"), "payload", "must be a JSON object");
        assertFault(with("payload", "\"{}\""), "payload", "must be a JSON object");
        assertFault(
                with("payload", "{\"a\":{\"b\":1,\"c\":2,\"b\":3}}"),
                "payload",
                "twice in one object, at /payload/a/b");
        assertFault(with("payload", "{\"a\":1,\"\\u0061\":2}"), "payload", "twice in one object");
        assertFault(with("payload", "{\"a\":\"x\\u0000\"}"), "payload", "NUL, at /payload/a");
        assertFault(with("payload", "{\"\\u0000\":1}"), "payload", "NUL");
        assertFault(with("payload", "{\"a\":[\"\\ud800\"]}"), "payload", "unpaired surrogates, at /payload/a/0");
        assertFault(with("payload", "{\"\\udc00\":1}"), "payload", "unpaired surrogates");
    }

    @Test
    void boundsTheLengthOfNumbersWrittenOut() throws Exception {
        for (String number :
                List.of("1e999", "1e-999", "1e0000001", "0e99999", "1E+990", "9".repeat(1_000), "-1.5e10")) {
            String payload = "{\"n\":" + number + "}";
            assertThat(parseWith("payload", payload).payload()).isEqualTo(payload);
        }
        for (String number : List.of("1e1000", "1e-1000", "1e131071", "1e99999999999", "9".repeat(1_001))) {
            assertFault(with("payload", "{\"n\":" + number + "}"), "payload", "more than 1000 digits, at /payload/n");
        }
    }

    @Test
    void boundsHowMuchAPayloadGrowsWhenItsNumbersAreWrittenOut() throws Exception {
        assertThat(parse(with("payload", "{\"n\":[1e999" + ",1e999".repeat(64) + "]}"))
                        .events())
                .hasSize(1);
        assertFault(
                with("payload", "{\"n\":[1e999" + ",1e999".repeat(1_000) + "]}"),
                "payload",
                "grow by more than 65536 digits");
    }

    @Test
    void boundsTheDepth() throws Exception {
        String deepest = "{\"a\":" + "[".repeat(99) + "]".repeat(99) + "}";
        assertThat(parseWith("payload", deepest).payload()).isEqualTo(deepest);
        assertFault(
                with("payload", "{\"a\":" + "[".repeat(100) + "]".repeat(100) + "}"),
                "payload",
                "nest deeper than 100");
        assertThat(faultsOf("[".repeat(100_000))).isNotEmpty();
        assertThat(faultsOf(with("payload", "{\"a\":" + "[".repeat(100_000)))).isNotEmpty();
    }

    @Test
    void namesEveryFaultByIndexAndField() {
        assertThat(faultsOf("[" + EVENT + ",{\"topic\":\"a\",\"topic\":\"b\",\"extra\":[{}],\"payload\":1},7]"))
                .extracting(EventFault::index, EventFault::field)
                .containsExactly(
                        tuple(1, "topic"),
                        tuple(1, "extra"),
                        tuple(1, "payload"),
                        tuple(1, "event_id"),
                        tuple(1, "timestamp"),
                        tuple(1, "source"),
                        tuple(2, ""));
    }

    @Test
    void listsAHundredFaultsAndCountsTheRest() {
        InvalidEventException e =
                catchThrowableOfType(InvalidEventException.class, () -> parse("[" + "7,".repeat(999) + "7]"));
        assertThat(e.faults()).hasSize(100);
        assertThat(e.faultCount()).isEqualTo(1_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"[]", "{\"events\":[]}"})
    void refusesARequestWithoutEvents(String json) {
        assertFault(json, "events", "at least one event");
    }

    @Test
    void refusesWhatStandsBesideTheEvents() {
        assertFault("{\"events\":[" + EVENT + "],\"more\":1}", "more", "no field");
        assertFault("{\"events\":" + EVENT + "}", "events", "must be an array");
        assertThat(faultsOf("\"event\""))
                .singleElement()
                .extracting(EventFault::message)
                .isEqualTo("must be a JSON object");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[",
                "nul",
                "NaN",
                "{'a':1}",
                "[1,]",
                "{\"topic\":\"a\",}",
                "\u0000",
                "{\"a\":\"\n\"}",
                "[] []",
                "{\"a\":01}",
                "// comment\n[]"
            })
    void refusesWhatIsNoJson(String text) {
        assertThatExceptionOfType(MalformedJsonException.class)
                .isThrownBy(() -> parse(text))
                .withMessageMatching(".* at line \\d+, column \\d+\\.");
    }

    private static PublishRequest lines(String text) throws IOException, MalformedJsonException, InvalidEventException {
        return EventParser.parseLines(new ByteArrayInputStream(text.getBytes(UTF_8)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"%s\n%s\n", "%s\n%s", "\uFEFF%s\r\n%s\r\n", "\n\n%s\n \t\n%s\n\n", " %s \n\t%s\t\n"})
    void readsAnEventALine(String form) throws Exception {
        String second = with("topic", "\"é😀\u2028\"");
        PublishRequest request = lines(form.formatted(EVENT, second));
        assertThat(request.single()).isFalse();
        assertThat(request.events())
                .isEqualTo(parse("[" + EVENT + "," + second + "]").events());
        assertThat(lines(EVENT).single()).isFalse();
    }

    @Test
    void namesTheFaultsOfLinesByIndex() {
        assertThat(catchThrowableOfType(
                                InvalidEventException.class, () -> lines(EVENT + "\n\n[" + EVENT + "]\n{}\n" + EVENT))
                        .faults())
                .extracting(EventFault::index, EventFault::field)
                .containsExactly(
                        tuple(1, ""),
                        tuple(2, "topic"),
                        tuple(2, "event_id"),
                        tuple(2, "timestamp"),
                        tuple(2, "source"),
                        tuple(2, "payload"));
        InvalidEventException e = catchThrowableOfType(InvalidEventException.class, () -> lines("7\n".repeat(1_000)));
        assertThat(e.faults()).hasSize(100).last().isEqualTo(new EventFault(99, "", "must be a JSON object"));
        assertThat(e.faultCount()).isEqualTo(1_000);
        assertThat(catchThrowableOfType(InvalidEventException.class, () -> lines("\n \n"))
                        .faults())
                .extracting(EventFault::field)
                .containsExactly("events");
    }

    @Test
    void readsLinesAsTheyCome() {
        // Whoever collects the whole body first runs out of memory.
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                return '\n';
            }
        };
        InputStream body = new SequenceInputStream(new ByteArrayInputStream("nope\n".getBytes(UTF_8)), endless);
        assertThatExceptionOfType(MalformedJsonException.class).isThrownBy(() -> EventParser.parseLines(body));
    }

    @Test
    void tellsTheLineThatIsNoJson() {
        assertThatExceptionOfType(MalformedJsonException.class)
                .isThrownBy(() -> lines(EVENT + "\n\n" + EVENT.substring(0, 40)))
                .withMessageContaining("line 3, column ");
        assertThatExceptionOfType(MalformedJsonException.class)
                .isThrownBy(() -> lines(EVENT + EVENT))
                .withMessageContaining("line 1, column ");
        assertThatExceptionOfType(MalformedJsonException.class)
                .isThrownBy(() -> EventParser.parseLines(
                        new ByteArrayInputStream((EVENT + "\n" + with("topic", "\"é\"")).getBytes(ISO_8859_1))))
                .withMessageContaining("UTF-8");
    }

    @Test
    void refusesTextBehindAnEvent() {
        assertThatExceptionOfType(MalformedJsonException.class).isThrownBy(() -> parse(EVENT + EVENT));
    }

    @Test
    void refusesWhatIsNoUtf8() {
        byte[] surrogatesInUtf8 = with("topic", "\"\u00ff\u00ff\u00ff\"").getBytes(ISO_8859_1);
        for (byte[] body : List.of(
                with("topic", "\"é\"").getBytes(ISO_8859_1),
                EVENT.getBytes(UTF_16),
                surrogatesInUtf8,
                new byte[] {'"', (byte) 0xED, (byte) 0xA0, (byte) 0x80, '"'},
                new byte[] {'"', (byte) 0xC1, (byte) 0x81, '"'})) {
            assertThatExceptionOfType(MalformedJsonException.class)
                    .isThrownBy(() -> EventParser.parseRequest(body))
                    .withMessageContaining("UTF-8");
        }
        assertThatExceptionOfType(MalformedJsonException.class)
                .isThrownBy(() -> EventParser.parseRequest(EVENT.getBytes(UTF_16LE)));
    }

    @Test
    void readsTheReplacementCharacterAndAByteOrderMark() throws Exception {
        assertThat(parseWith("topic", "\"\uFFFD\"").topic()).isEqualTo("\uFFFD");
        assertThat(parse("\uFEFF" + EVENT)).isEqualTo(parse(EVENT));
        assertThat(parse("\uFEFF" + with("topic", "\"\uFFFD\"")).events()).hasSize(1);
        assertThat(parse("\uFEFF[" + EVENT + "]").events())
                .isEqualTo(parse(EVENT).events());
    }
}
