package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.model.Event;
import io.github.logaggregator.tests.RawHttp.Answer;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem.HttpMethod;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import java.net.URLEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;

/**
 * Requests at random, made from the description of the API and spoiled: each is answered as the description says, and what is
 * taken reads back as it was sent. {@code -Dfuzz.seed=} gives the same requests again.
 */
class FuzzIT {
    private static final long SEED = Long.getLong("fuzz.seed", new Random().nextLong());
    private static final int REQUESTS = Integer.getInteger("fuzz.requests", 1_000);

    /** What any path may answer, whatever it is asked for: the description says so at its top. */
    private static final Set<String> ALWAYS = Set.of("400", "404", "405", "406");

    private static final List<String> NASTY = List.of(
            "",
            " ",
            "/",
            ";",
            "%",
            "..",
            "../..",
            ".",
            "%2F",
            "%2f..%2F",
            "%00",
            "%0a",
            "%ff",
            "%zz",
            "%",
            "%25",
            "%252F",
            ";a=b",
            "a;b=c/d",
            "\\",
            "%5c",
            "'",
            "\"",
            "<script>",
            "{",
            "}",
            "|",
            "^",
            "`",
            "~",
            "+",
            "&a=b",
            "#",
            "?",
            "*",
            "null",
            "NaN",
            "-1",
            "0",
            "1e9",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775809",
            "0x10",
            "1.5",
            "٣",
            "😀",
            "%F0%9F%98%80",
            "%ED%A0%80",
            "%C0%AF",
            "\u00e9",
            "\t",
            "a".repeat(256),
            "a".repeat(5_000));

    private static final List<String> FRAGMENTS = List.of(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\\",
            "\n",
            "\r\n",
            "\0",
            "\uFEFF",
            "é",
            "😀",
            "null",
            "true",
            "-0",
            "0.10",
            "1e400",
            "1e999",
            "1e-131072",
            "1E99999999999",
            "12345678901234567890.10",
            "9".repeat(1_001),
            "[".repeat(101),
            "[".repeat(5_000),
            "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "\"\\u0000\"",
            "\"\\u0001\"",
            "\"\"",
            "\"a\":1,\"a\":2,",
            "\"events\":",
            "\"topic\":\"t\",",
            "\"payload\":{},",
            "\"id\":7,",
            "/**/",
            "NaN",
            "01",
            "'");

    private static final List<String> CONTENT_TYPES = List.of(
            "",
            "text/plain",
            "application/json; charset=latin1",
            "application/json;charset=",
            "*/*",
            "json",
            ";",
            "a/b/c",
            "application/json, application/json",
            "multipart/form-data",
            "application/x-www-form-urlencoded",
            "\u00e9/x");

    private final Random random = new Random(SEED);

    /** What was taken, by topic and event_id. */
    private final Map<List<String>, JsonNode> taken = new HashMap<>();

    private final Map<Integer, Integer> statuses = new HashMap<>();

    private final List<String> wrong = new ArrayList<>();

    @Test
    @OwnSystem
    @Timeout(value = 120, unit = TimeUnit.SECONDS)
    void whateverIsSentIsAnsweredAsTheDescriptionSays(AggregatorSystem system) {
        OpenAPI api = description(system);
        List<Target> targets = new ArrayList<>();
        api.getPaths()
                .forEach((path, item) -> item.readOperationsMap()
                        .forEach((method, operation) -> targets.add(new Target(path, method, operation))));
        for (int i = 0; i < REQUESTS; i++) {
            // Publishing is what the most can go wrong with.
            Target target = i % 2 == 0 ? targetOf(targets, "/publish") : targets.get(random.nextInt(targets.size()));
            exchange(system, target, i);
        }
        System.out.println(
                "Fuzz: -Dfuzz.seed=" + SEED + ", answers by status: " + statuses + ", taken: " + taken.size());
        assertThat(wrong.subList(0, Math.min(wrong.size(), 30))).isEmpty();
        assertThat(statuses).containsKeys(200, 202, 400, 404, 405, 406, 415, 422);
        assertThat(taken).hasSizeGreaterThan(REQUESTS / 200);
        readBack(system);
        assertThat(system.stats().books().unaccounted()).isZero();
        assertThat(system.apis().getFirst().log()).doesNotContain("ERROR", "WARN");
    }

    private record Target(String path, HttpMethod method, Operation operation) {}

    private static Target targetOf(List<Target> targets, String path) {
        return targets.stream()
                .filter(target -> target.path().equals(path))
                .findFirst()
                .orElseThrow();
    }

    private static OpenAPI description(AggregatorSystem system) {
        ParseOptions options = new ParseOptions();
        options.setResolveFully(true);
        return new OpenAPIV3Parser()
                .readContents(system.http().get("/v3/api-docs").asString(), List.of(), options)
                .getOpenAPI();
    }

    private void exchange(AggregatorSystem system, Target target, int number) {
        String method =
                chance(0.95) ? target.method().name() : oneOf(List.of("GET", "POST", "PUT", "HAED", "post", "TRACE"));
        List<String> head = new ArrayList<>();
        head.add(method + " " + uri(target) + " HTTP/1.1");
        byte[] body = new byte[0];
        String contentType = "";
        if (target.operation().getRequestBody() != null) {
            var content = target.operation().getRequestBody().getContent();
            String documented = oneOf(List.copyOf(content.keySet()));
            contentType = chance(0.93) ? documented : oneOf(CONTENT_TYPES);
            if (!contentType.isEmpty()) {
                head.add("Content-Type: " + contentType);
            }
            var examples = Objects.requireNonNull(content.get(documented)).getExamples();
            body = body(oneOf(List.copyOf(examples.values())).getValue().toString(), number);
        } else if (chance(0.05)) {
            body = bytes(100);
        }
        byte[] plain = body;
        if (chance(0.2)) {
            String encoding = oneOf(List.of("gzip", "gzip", "gzip", "identity", "br", ""));
            head.add("Content-Encoding: " + encoding);
            if (encoding.equals("gzip") && chance(0.8)) {
                body = GzipIT.gzip(body);
            }
        }
        if (chance(0.1)) {
            head.add("Accept: " + oneOf(List.of("*/*", "application/json", "text/html", "image/*", "nonsense", ";")));
        }
        if (chance(0.1)) {
            head.add(oneOf(List.of("ce-id: 1", "ce-specversion: 1.0", "ce-ext: %zz", "ce-type: \u00ff", "ce-: x")));
        }
        if (chance(0.05)) {
            head.add(oneOf(NASTY).strip().replaceAll("\\s", "") + ": " + oneOf(NASTY));
        }
        head.add("Content-Length: " + body.length);
        byte[] request = RawHttp.request(body, head.toArray(String[]::new));
        String what = "-Dfuzz.seed=" + SEED + ", request " + number + ":\n" + abbreviated(request) + "\n";
        try {
            Answer answer = RawHttp.exchange(system.api(), request);
            what += answer + "\n";
            statuses.merge(answer.status(), 1, Integer::sum);
            assertThat(Integer.toString(answer.status()))
                    .isIn(concat(target.operation().getResponses().keySet(), ALWAYS))
                    .doesNotStartWith("5");
            if (answer.status() >= 400) {
                answer.assertProblem();
            } else if (target.path().equals("/publish") && contentType.startsWith("application/json")) {
                note(plain, topicOf(number));
            }
        } catch (AssertionError | RuntimeException e) {
            wrong.add(what + e.getMessage());
        }
    }

    private static String topicOf(int number) {
        return "fuzz-" + number + "-";
    }

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private <T> T oneOf(List<T> list) {
        return list.get(random.nextInt(list.size()));
    }

    private static List<String> concat(Set<String> some, Set<String> more) {
        List<String> all = new ArrayList<>(some);
        all.addAll(more);
        return all;
    }

    private byte[] bytes(int most) {
        byte[] bytes = new byte[random.nextInt(most)];
        random.nextBytes(bytes);
        return bytes;
    }

    /** A path with values for its parameters, and a query. */
    private String uri(Target target) {
        String path = target.path();
        StringBuilder query = new StringBuilder();
        for (Parameter parameter :
                Objects.requireNonNullElse(target.operation().getParameters(), List.<Parameter>of())) {
            if (parameter.getIn().equals("path")) {
                path = path.replace("{" + parameter.getName() + "}", value(parameter));
            } else if (parameter.getIn().equals("query") && chance(0.6)) {
                query.append(query.isEmpty() ? '?' : '&')
                        .append(parameter.getName())
                        .append('=');
                query.append(value(parameter));
            }
        }
        if (chance(0.05)) {
            path = path + oneOf(NASTY);
        }
        if (chance(0.02)) {
            path = path.replace("/", oneOf(List.of("//", "/./", "/x/../", "/%2e%2e/", "/;/", "%2F", "\\")));
        }
        return path + query;
    }

    private String value(Parameter parameter) {
        if (chance(0.5)) {
            String nasty = oneOf(NASTY);
            return chance(0.5) ? URLEncoder.encode(nasty, UTF_8) : new String(nasty.getBytes(UTF_8), ISO_8859_1);
        }
        if ("integer".equals(parameter.getSchema().getType())) {
            return Integer.toString(random.nextInt(-2, 1_010));
        }
        return Objects.requireNonNullElse(parameter.getExample(), "orders").toString();
    }

    /** An example of the description, in a topic of its own, and mostly spoiled. */
    private byte[] body(String example, int number) {
        if (chance(0.05)) {
            return bytes(300);
        }
        StringBuilder text = new StringBuilder(example.replace("orders", topicOf(number)));
        for (int i = chance(0.3) ? 0 : 1 + random.nextInt(2); i > 0; i--) {
            int from = random.nextInt(text.length() + 1);
            int to = chance(0.6) ? from : Math.min(text.length(), from + random.nextInt(20));
            // Half of them where a value stands, as a value.
            int colon = text.indexOf(":", from);
            if (chance(0.5) && colon >= 0) {
                from = colon + 1;
                to = from;
                text.insert(from, chance(0.5) ? "{\"a\":0,\"b\":" : "[");
            }
            text.replace(from, Math.max(from, to), oneOf(FRAGMENTS));
        }
        byte[] bytes = text.toString().getBytes(chance(0.95) ? UTF_8 : ISO_8859_1);
        if (chance(0.05) && bytes.length > 0) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        return chance(0.03) ? Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
    }

    private static String abbreviated(byte[] request) {
        String text = new String(request, UTF_8);
        return text.substring(0, Math.min(text.length(), 3_000));
    }

    /** Notes what the body of a request that was taken says, as another reader of JSON understands it. */
    private void note(byte[] body, String topic) {
        JsonNode tree = TestEvents.tree(new String(body, UTF_8).replaceFirst("^\uFEFF", ""));
        for (JsonNode event : tree.isArray() ? tree : tree.has("events") ? tree.get("events") : List.of(tree)) {
            List<String> key = List.of(
                    event.get("topic").stringValue(), event.get("event_id").stringValue());
            // Spoiled, it may be another request's, and nobody knows which of them comes first.
            if (key.getFirst().startsWith(topic)) {
                taken.putIfAbsent(key, event);
            }
        }
    }

    private void readBack(AggregatorSystem system) {
        system.awaitSettled();
        Map<List<String>, Event> stored = new HashMap<>();
        system.allEvents("").forEach(event -> stored.put(List.of(event.topic(), event.eventId()), event));
        taken.forEach((key, sent) -> {
            Event event = Objects.requireNonNull(stored.get(key), () -> "lost: " + sent);
            assertThat(event.source()).isEqualTo(sent.get("source").stringValue());
            assertThat(TestEvents.tree(event.payload()).equals(FuzzIT::compare, sent.get("payload")))
                    .as("-Dfuzz.seed=%s: %s, and sent was %s", SEED, event, sent)
                    .isTrue();
        });
    }

    /** Numbers are what they are worth, everything else is what it is. */
    private static int compare(JsonNode one, JsonNode other) {
        return one.isNumber() && other.isNumber()
                ? one.decimalValue().compareTo(other.decimalValue())
                : one.equals(other) ? 0 : 1;
    }
}
