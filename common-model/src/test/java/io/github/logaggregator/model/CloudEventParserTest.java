package io.github.logaggregator.model;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.groups.Tuple.tuple;

import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CloudEventParserTest {
    private static final Instant ARRIVAL = Instant.parse("2026-01-02T03:04:05.123456789Z");
    private static final String KEPT = "\"specversion\":\"1.0\",\"id\":\"1\"";

    /** A CloudEvent with the required attributes, and some more JSON members. */
    private static String with(String more) {
        return "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/shop\",\"type\":\"orders\"" + more + "}";
    }

    private static PublishRequest structured(String json) throws MalformedJsonException, InvalidEventException {
        return CloudEventParser.parseStructured(json.getBytes(UTF_8), ARRIVAL);
    }

    /** The event, after what a worker does with it. */
    private static Event event(PublishRequest request) throws Exception {
        SentEvent sent = request.events().getFirst();
        assertThat(QueuedEvent.decode(QueuedEvent.encode(ARRIVAL, null, sent.json()))
                        .event())
                .isEqualTo(sent.event());
        return sent.event();
    }

    private static PublishRequest binary(String contentType, byte[] data) throws InvalidEventException {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("specversion", "1.0");
        attributes.put("id", "1");
        attributes.put("source", "/shop");
        attributes.put("type", "orders");
        if (!contentType.isEmpty()) {
            attributes.put("datacontenttype", contentType);
        }
        return CloudEventParser.parseBinary(attributes, data, ARRIVAL);
    }

    private static List<EventFault> faultsOf(String json) {
        return catchThrowableOfType(InvalidEventException.class, () -> structured(json))
                .faults();
    }

    private static void assertFault(String json, String field, String message) {
        assertThat(faultsOf(json)).singleElement().satisfies(fault -> {
            assertThat(fault.field()).isEqualTo(field);
            assertThat(fault.message()).contains(message);
        });
    }

    @Test
    void givesEachAttributeItsPlace() throws Exception {
        PublishRequest request = structured(
                with(
                        ",\"time\":\"2025-12-08T10:00:00.5+01:00\",\"subject\":\"a\",\"n\":-7,\"b\":true,\"data\":{\"amount\": 1.50}"));
        assertThat(request.single()).isTrue();
        assertThat(event(request))
                .isEqualTo(new Event(
                        "orders",
                        "/shop 1",
                        Instant.parse("2025-12-08T09:00:00.5Z"),
                        "/shop",
                        "{\"cloudevent\":{" + KEPT + ",\"subject\":\"a\",\"n\":-7,\"b\":true},\"amount\": 1.50}"));
    }

    @Test
    void takesTheTimeOfArrivalWhereThereIsNoTime() throws Exception {
        assertThat(event(structured(with(""))).timestamp()).isEqualTo(Instant.parse("2026-01-02T03:04:05.123456Z"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "`` | {\"cloudevent\":{%s}}",
                "`,\"data\":{}` | {\"cloudevent\":{%s}}",
                "`,\"data\":{ }` | {\"cloudevent\":{%s}}",
                "`,\"data\":{\"data\":1}` | {\"cloudevent\":{%s},\"data\":1}",
                "`,\"data\":1.10` | {\"cloudevent\":{%s,\"data\":1.10}}",
                "`,\"data\":\"<x/>\"` | {\"cloudevent\":{%s,\"data\":\"<x/>\"}}",
                "`,\"data\":[{\"a\":1}]` | {\"cloudevent\":{%s,\"data\":[{\"a\":1}]}}",
                "`,\"data\":null` | {\"cloudevent\":{%s,\"data\":null}}",
                "`,\"data\":{\"cloudevent\":{\"x\":1}}` | {\"cloudevent\":{%s,\"data\":{\"cloudevent\":{\"x\":1}}}}",
                "`,\"data\":{\"\\u0063loudevent\":1}` | {\"cloudevent\":{%s,\"data\":{\"\\u0063loudevent\":1}}}",
                "`,\"data_base64\":\"AP8=\"` | {\"cloudevent\":{%s,\"data_base64\":\"AP8=\"}}",
                "`,\"subject\":null` | {\"cloudevent\":{%s}}",
            })
    void keepsDataThatCanNotBeAPayloadBesideTheAttributes(String more, String payload) throws Exception {
        assertThat(event(structured(with(more))).payload()).isEqualTo(payload.replace("%s", KEPT));
    }

    @Test
    void neverTakesTwoSourcesForOne() throws Exception {
        String event = with("").replace("\"1\"", "\"b 1\"").replace("/shop", "a");
        assertThat(event(structured(event)).eventId()).isEqualTo("a b 1");
        // What would be the same text for a source with a space: there is none.
        assertFault(event.replace("\"b 1\"", "\"1\"").replace("\"a\"", "\"a b\""), "source", "must be a URI");
        assertThat(event(structured(event.replace("\"a\"", "\"a%20b\""))).eventId())
                .isEqualTo("a%20b b 1");
    }

    @Test
    void hashesWhatIsTooLongToBeAnId() throws Exception {
        String longest = "😀".repeat(EventParser.MAX_NAME_LENGTH - "/shop ".length());
        assertThat(event(structured(with("").replace("\"1\"", "\"" + longest + "\"")))
                        .eventId())
                .isEqualTo("/shop " + longest);
        Event hashed = event(structured(with("").replace("\"1\"", "\"" + longest + "x\"")));
        assertThat(hashed.eventId()).matches("sha256:[0-9a-f]{64}");
        assertThat(hashed.payload()).contains(longest + "x");
        assertThat(event(structured(with("").replace("\"1\"", "\"" + longest + "x\"")
                                .replace("/shop", "/shoq")))
                        .eventId())
                .matches("sha256:[0-9a-f]{64}")
                .isNotEqualTo(hashed.eventId());
    }

    @Test
    void namesWhatIsMissing() {
        assertThat(faultsOf("{\"data\":{}}"))
                .extracting(EventFault::field, EventFault::message)
                .containsExactly(
                        tuple("specversion", "is missing"),
                        tuple("id", "is missing"),
                        tuple("source", "is missing"),
                        tuple("type", "is missing"));
        assertThat(faultsOf("{\"specversion\":\"1.0\",\"id\":null,\"source\":\"a\",\"type\":\"t\"}"))
                .extracting(EventFault::field)
                .containsExactly("id");
    }

    @Test
    void refusesWhatIsNoCloudEvent() {
        assertFault(with("").replace("1.0", "0.3"), "specversion", "must be \"1.0\"");
        assertFault(with("").replace("\"1\"", "1"), "id", "must be a string");
        assertFault(with("").replace("\"1\"", "\"\""), "id", "must not be empty");
        assertFault(with("").replace("\"1\"", "\"a\\nb\""), "id", "control characters");
        assertFault(with("").replace("\"1\"", "\"\\ud800\""), "id", "unpaired surrogates");
        assertFault(with("").replace("/shop", "s".repeat(256)), "source", "1 to 255 characters");
        assertFault(with("").replace("orders", "t".repeat(256)), "type", "1 to 255 characters");
        assertFault(with(",\"time\":\"yesterday\""), "time", "ISO 8601");
        assertFault(with(",\"time\":7"), "time", "must be a string");
        assertFault(with(",\"subject\":\"\""), "subject", "must not be empty");
        assertFault(with(",\"dataschema\":\"a b\""), "dataschema", "must be a URI");
        assertFault(with(",\"my_extension\":\"1\""), "my_extension", "no attribute");
        assertFault(with(",\"Subject\":\"1\""), "Subject", "no attribute");
        assertFault(with(",\"ext\":\"\\u0000\""), "ext", "control characters");
        assertFault(with(",\"ext\":{\"a\":[1]}"), "ext", "must be a string, a boolean or an integer");
        assertFault(with(",\"ext\":1.5"), "ext", "must be a string, a boolean or an integer");
        assertFault(with(",\"ext\":2147483648"), "ext", "integer of 32 bits");
        assertFault(with(",\"id\":\"1\""), "id", "twice");
        assertFault(with(",\"data\":1,\"data\":2"), "data", "twice");
        assertFault(with(",\"data\":1,\"data_base64\":\"\""), "data_base64", "must not stand beside data");
        assertFault(with(",\"data_base64\":\"*\""), "data_base64", "must be Base64");
        assertFault(with(",\"data_base64\":{}"), "data_base64", "must be a string");
        assertFault("[" + with("") + "]", "", "must be a JSON object");
    }

    @Test
    void refusesDataThatCouldNotBeGivenBack() throws Exception {
        assertFault(with(",\"data\":{\"a\":{\"b\":1,\"b\":2}}"), "data", "twice in one object, at /data/a/b");
        assertFault(with(",\"data\":[\"\\u0000\"]"), "data", "NUL, at /data/0");
        assertFault(with(",\"data\":\"\\ud800\""), "data", "unpaired surrogates, at /data");
        assertFault(with(",\"data\":1e131071"), "data", "more than 1000 digits, at /data");
        String deepest = "[".repeat(98) + "]".repeat(98);
        assertThat(event(structured(with(",\"data\":" + deepest))).payload()).contains(deepest);
        assertFault(with(",\"data\":[" + deepest + "]"), "data", "nest deeper than 98");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "nope", "{\"specversion\":\"1.0\"} {}"})
    void refusesWhatIsNoJson(String text) {
        assertThatExceptionOfType(MalformedJsonException.class).isThrownBy(() -> structured(text));
    }

    @Test
    void readsABatchAndNamesItsFaultsByIndex() throws Exception {
        String json = "[" + with(",\"data\":{\"a\":1}") + "," + with("").replace("/shop", "/other") + "]";
        PublishRequest batch = CloudEventParser.parseBatch(json.getBytes(UTF_8), ARRIVAL);
        assertThat(batch.single()).isFalse();
        assertThat(batch.events()).extracting(sent -> sent.event().eventId()).containsExactly("/shop 1", "/other 1");
        for (String bad : List.of("[]", with(""), "[" + with("") + ",{},7]")) {
            assertThatExceptionOfType(InvalidEventException.class)
                    .isThrownBy(() -> CloudEventParser.parseBatch(bad.getBytes(UTF_8), ARRIVAL));
        }
        assertThat(catchThrowableOfType(
                                InvalidEventException.class,
                                () -> CloudEventParser.parseBatch(
                                        ("[" + with("") + ",{\"id\":\"2\",\"source\":\"a\",\"type\":\"t\"},7]")
                                                .getBytes(UTF_8),
                                        ARRIVAL))
                        .faults())
                .extracting(EventFault::index, EventFault::field)
                .containsExactly(tuple(1, "specversion"), tuple(2, ""));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "application/json | {\"amount\": 1.50} | ,\"amount\": 1.50}",
                "application/json; charset=\"UTF-8\" | 1.50 | ,\"data\":1.50}}",
                "application/vnd.shop.v1+json;v=1 | [] | ,\"data\":[]}}",
                "Text/JSON | \"ü\" | ,\"data\":\"ü\"}}",
                "application/json; charset=utf-16 | {} | ,\"data_base64\":\"e30=\"}}",
                "application/jsonp | {} | ,\"data_base64\":\"e30=\"}}",
                "text/plain | ü | ,\"data\":\"ü\"}}",
                "text/plain;charset=utf-8 | ü | ,\"data\":\"ü\"}}",
                "text/plain; charset=iso-8859-1 | ü | ,\"data_base64\":\"w7w=\"}}",
                "application/octet-stream | ü | ,\"data_base64\":\"w7w=\"}}",
                "'' | ü | ,\"data_base64\":\"w7w=\"}}",
            })
    void readsDataByTheirContentTypeInWhicheverModeTheyCome(String contentType, String data, String payload)
            throws Exception {
        Event event = event(binary(contentType, data.getBytes(UTF_8)));
        assertThat(event.payload()).endsWith(payload);
        String type = contentType.isEmpty() ? "" : ",\"datacontenttype\":\"" + contentType.replace("\"", "\\\"") + "\"";
        assertThat(event(structured(with(type + ",\"data_base64\":\""
                        + Base64.getEncoder().encodeToString(data.getBytes(UTF_8)) + "\""))))
                .isEqualTo(event);
    }

    @Test
    void keepsTextThatCanNotBeAStringAsBytes() throws Exception {
        assertThat(event(binary("text/plain", "ü".getBytes(ISO_8859_1))).payload())
                .endsWith("\"data_base64\":\"/A==\"}}");
        assertThat(event(binary("text/plain", new byte[1])).payload()).endsWith("\"data_base64\":\"AA==\"}}");
        assertThat(event(binary("application/json", new byte[0])).payload()).doesNotContain("\"data\"", "data_base64");
    }

    @Test
    void refusesDataThatAreNotWhatTheirContentTypeSays() {
        for (byte[] data : List.of("{".getBytes(UTF_8), "{} {}".getBytes(UTF_8), "\"ü\"".getBytes(ISO_8859_1))) {
            assertThat(catchThrowableOfType(InvalidEventException.class, () -> binary("application/json", data))
                            .faults())
                    .singleElement()
                    .satisfies(fault -> {
                        assertThat(fault.field()).isEqualTo("data");
                        assertThat(fault.message()).startsWith("must be JSON, as its content type says. The");
                    });
        }
    }
}
