package io.github.logaggregator.model;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.cfg.JsonNodeFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What holds for whatever is sent: it is refused as a fault of its sender, or it is what a worker will read. */
class ParserPropertiesTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05.123456Z");
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    @FunctionalInterface
    private interface Parsing {
        PublishRequest parse(byte[] body) throws IOException, MalformedJsonException, InvalidEventException;
    }

    private static final List<Parsing> FORMS = List.of(
            EventParser::parseRequest,
            body -> EventParser.parseLines(new ByteArrayInputStream(body)),
            body -> CloudEventParser.parseStructured(body, NOW),
            body -> CloudEventParser.parseBatch(body, NOW),
            body -> CloudEventParser.parseBinary(attributes("1", "s", "application/json"), body, NOW),
            body -> CloudEventParser.parseBinary(attributes("1", "s", "text/plain"), body, NOW));

    private static Map<String, String> attributes(String id, String source, String contentType) {
        return Map.of("specversion", "1.0", "id", id, "source", source, "type", "t", "datacontenttype", contentType);
    }

    /** Names as they may be: any characters but control characters and halves of a pair. */
    @Provide
    Arbitrary<String> names() {
        return characters()
                .filter(c -> !Character.isISOControl(c))
                .list()
                .ofMinSize(1)
                .ofMaxSize(255)
                .map(ParserPropertiesTest::text);
    }

    private static Arbitrary<Integer> characters() {
        return Arbitraries.frequencyOf(
                        Tuple.of(8, Arbitraries.integers().between(0, 0x2FF)),
                        Tuple.of(2, Arbitraries.integers().between(0, 0x10FFFF)))
                .filter(c -> c > 0 && (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE));
    }

    private static String text(List<Integer> characters) {
        return characters.stream().map(Character::toString).collect(Collectors.joining());
    }

    @Provide
    Arbitrary<Object> payloads() {
        return object(Arbitraries.lazyOf(
                () -> Arbitraries.of(true, false),
                () -> texts(),
                () -> Arbitraries.bigIntegers().between(BigInteger.TEN.pow(40).negate(), BigInteger.TEN.pow(40)),
                () -> Arbitraries.bigDecimals()
                        .between(BigDecimal.valueOf(-1e20), BigDecimal.valueOf(1e20))
                        .ofScale(9),
                () -> object(values()),
                () -> values().list().ofMaxSize(3)));
    }

    private Arbitrary<Object> values() {
        return Arbitraries.lazyOf(() -> texts(), () -> Arbitraries.of(1, 2.5, false), this::payloads);
    }

    private static Arbitrary<String> texts() {
        return characters().list().ofMaxSize(20).map(ParserPropertiesTest::text);
    }

    private static Arbitrary<Object> object(Arbitrary<?> values) {
        return Arbitraries.maps(texts(), values).ofMaxSize(3).map(map -> map);
    }

    @Provide
    Arbitrary<Event> events() {
        return Combinators.combine(names(), names(), instants(), names(), payloads())
                .as((topic, id, time, source, payload) ->
                        new Event(topic, id, time, source, JSON.writeValueAsString(payload)));
    }

    private static Arbitrary<Instant> instants() {
        return Arbitraries.longs()
                .between(
                        Instant.parse("0001-01-01T00:00:00Z").getEpochSecond() * 1_000_000,
                        Instant.parse("9999-12-31T23:59:59Z").getEpochSecond() * 1_000_000)
                .map(micros -> Instant.EPOCH.plus(micros, ChronoUnit.MICROS));
    }

    /** Bytes that are hardly ever an event, and often nearly one. */
    @Provide
    Arbitrary<byte[]> bodies() {
        Arbitrary<String> fragments = Arbitraries.of(
                "{",
                "}",
                "[",
                "]",
                ",",
                ":",
                "\"",
                "\\",
                "\n",
                "\r",
                "\u0000",
                "\uFEFF",
                " ",
                "é",
                "😀",
                "null",
                "-0",
                "1e999",
                "1e-131072",
                "1E99999999999",
                "0.10",
                "9".repeat(1_001),
                "[".repeat(101),
                "[".repeat(1_001),
                "\"\\ud800\"",
                "\"\\udc00\\ud800\"",
                "\"\\u0000\"",
                "\"\"",
                "\"a\":1,\"a\":2",
                "\"events\":",
                "\"data\":",
                "\"data_base64\":\"AA==\"",
                "\"cloudevent\":{}",
                "\"topic\":\"t\"",
                "\"payload\":{}",
                "/**/",
                "NaN",
                "01");
        Arbitrary<byte[]> mutated = Combinators.combine(
                        Arbitraries.of(SEEDS),
                        fragments.list().ofMinSize(1).ofMaxSize(3),
                        Arbitraries.doubles().between(0, 1).list().ofSize(3),
                        Arbitraries.integers().between(0, 12))
                .as((seed, pieces, places, cut) -> {
                    String text = seed;
                    for (int i = 0; i < pieces.size(); i++) {
                        int at = (int) (places.get(i) * text.length());
                        text = text.substring(0, at)
                                + pieces.get(i)
                                + text.substring(Math.min(text.length(), at + cut));
                    }
                    return text.getBytes(UTF_8);
                });
        Arbitrary<byte[]> anything = Arbitraries.bytes().array(byte[].class).ofMaxSize(200);
        Arbitrary<byte[]> fragmentsOnly = fragments
                .list()
                .ofMaxSize(30)
                .map(pieces -> String.join("", pieces).getBytes(UTF_8));
        return Arbitraries.oneOf(mutated, mutated, fragmentsOnly, anything);
    }

    private static final List<String> SEEDS = List.of("""
            {"topic":"t","event_id":"1","timestamp":"2025-12-08T10:00:00Z","source":"s","payload":{"a":[1.10,"x",{"b":null}]}}
            """, """
            {"events":[{"topic":"t","event_id":"1","timestamp":"2025-12-08T10:00:00","source":"s","payload":{}}]}
            """, """
            [{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2025-12-08T10:00:00Z","data":{"a":[1.10]}}]
            """, """
            {"specversion":"1.0","id":"1","source":"/s","type":"t","ext":7,"data":[1.10,{"a":"x"}]}
            """);

    @Property(tries = 2_000)
    void whateverIsSentIsRefusedOrReadByAWorkerAsItWasTaken(@ForAll("bodies") byte[] body) throws Exception {
        for (Parsing form : FORMS) {
            try {
                PublishRequest request = form.parse(body);
                assertThat(request.events()).isNotEmpty();
                for (SentEvent sent : request.events()) {
                    assertThat(QueuedEvent.decode(QueuedEvent.encode(NOW, null, sent.json()))
                                    .event()
                                    .eventId())
                            .isEqualTo(sent.event().eventId());
                    assertThat(JSON.readTree(sent.json()).get("payload"))
                            .isEqualTo(JSON.readTree(sent.event().payload()));
                }
            } catch (MalformedJsonException | InvalidEventException e) {
                assertThat(e).hasMessageNotContaining("xception");
            }
        }
    }

    @Property(tries = 300)
    void everyFormGivesTheSameEvents(@ForAll("eventLists") List<Event> events) throws Exception {
        List<SentEvent> taken =
                EventParser.parseRequest(EventJson.write(events)).events();
        assertThat(taken).extracting(SentEvent::event).isEqualTo(events);
        String lines = taken.stream().map(SentEvent::json).collect(Collectors.joining("\n"));
        assertThat(EventParser.parseLines(new ByteArrayInputStream(lines.getBytes(UTF_8)))
                        .events())
                .isEqualTo(taken);
        for (SentEvent sent : taken) {
            assertThat(QueuedEvent.decode(QueuedEvent.encode(NOW, null, sent.json()))
                            .event())
                    .isEqualTo(sent.event());
        }
    }

    @Provide
    Arbitrary<List<Event>> eventLists() {
        return events().list().ofMinSize(1).ofMaxSize(4);
    }

    @Property(tries = 300)
    void aCloudEventKeepsItsDataToTheDigit(@ForAll("payloads") Object data, @ForAll("names") String id)
            throws Exception {
        String text = JSON.writeValueAsString(data);
        String json = JSON.writeValueAsString(Map.of("specversion", "1.0", "id", id, "source", "s", "type", "t"));
        PublishRequest structured = CloudEventParser.parseStructured(
                (json.substring(0, json.length() - 1) + ",\"data\":" + text + "}").getBytes(UTF_8), NOW);
        PublishRequest binary =
                CloudEventParser.parseBinary(attributes(id, "s", "application/json"), text.getBytes(UTF_8), NOW);
        for (PublishRequest request : List.of(structured, binary)) {
            ObjectNode payload = (ObjectNode)
                    JSON.readTree(request.events().getFirst().event().payload());
            JsonNode kept = payload.remove(CloudEventParser.KEY);
            assertThat(kept.get("id").stringValue()).isEqualTo(id);
            assertThat(payload).isEqualTo(JSON.readTree(text));
        }
    }

    @Property(tries = 300)
    void twoCloudEventsHaveOneIdOnlyIfTheyAreTheSame(
            @ForAll("sources") String source,
            @ForAll("ids") String id,
            @ForAll("sources") String otherSource,
            @ForAll("ids") String otherId)
            throws Exception {
        assertThat(eventId(source, id).equals(eventId(otherSource, otherId)))
                .isEqualTo(source.equals(otherSource) && id.equals(otherId));
    }

    private static String eventId(String source, String id) throws InvalidEventException {
        PublishRequest request = CloudEventParser.parseBinary(attributes(id, source, "text/plain"), new byte[0], NOW);
        return request.events().getFirst().event().eventId();
    }

    @Provide
    Arbitrary<String> sources() {
        return Arbitraries.strings()
                .withChars("ab/%20:".toCharArray())
                .ofMinLength(1)
                .ofMaxLength(4)
                .filter(ParserPropertiesTest::isUri);
    }

    private static boolean isUri(String text) {
        try {
            new URI(text);
            return true;
        } catch (URISyntaxException e) {
            return false;
        }
    }

    @Provide
    Arbitrary<String> ids() {
        Arbitrary<String> some = Arbitraries.strings()
                .withChars("ab/%20: ".toCharArray())
                .ofMinLength(1)
                .ofMaxLength(4);
        return Arbitraries.oneOf(some, some.map(id -> id.repeat(100)));
    }
}
