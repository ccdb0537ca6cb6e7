package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** GET /events.ndjson gives everything that is stored, as it can be published again, in flat memory, or visibly not to its end. */
@OwnSystem(apis = 0, workers = 0)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ExportIT {
    /** In all, more than the API's heap. */
    private static final int ROWS = 60_000;

    private static AggregatorSystem system;
    private static ServiceProcess api;

    @BeforeAll
    static void start(AggregatorSystem own) {
        system = own;
        api = system.startApi(LaunchOptions.defaults().withJvmOptions("-Xmx80m"));
        system.startWorker();
    }

    private static HttpResponse<InputStream> export(String query, String encoding)
            throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(api.uri() + "/events.ndjson" + query))
                .header("Accept-Encoding", encoding)
                .timeout(Duration.ofSeconds(30))
                .build();
        // A client of its own: its connection ends with it.
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofInputStream());
    }

    private static InputStream body(HttpResponse<InputStream> response) throws IOException {
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
        return response.headers().firstValue("Content-Encoding").orElse("").equals("gzip")
                ? new GZIPInputStream(response.body())
                : response.body();
    }

    private static List<String> lines(String query, String encoding) throws IOException, InterruptedException {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(body(export(query, encoding)), UTF_8))) {
            return reader.lines().toList();
        }
    }

    private static long count(InputStream body) throws IOException {
        long lines = 0;
        byte[] buffer = new byte[64 * 1024];
        for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
            for (int i = 0; i < n; i++) {
                if (buffer[i] == '\n') {
                    lines++;
                }
            }
        }
        return lines;
    }

    @Test
    @Order(1)
    void whatItGivesIsPublishedAgainIntoAnEmptySystemAndComesOutEqual(@TempDir Path folder) throws Exception {
        List<Event> events = IntStream.range(0, 2_500)
                .mapToObj(i -> new Event(
                        "Ünïcode." + i % 7,
                        "行-" + i,
                        Instant.parse("2025-12-08T10:00:00Z").plusNanos(i * 331_000L),
                        i % 2 == 0 ? "😀" : "shop",
                        "{\"line " + i + "\":\"\\\"ü\\\" \\\\ \\n 日本語\",\"n\":" + i + ".3310,\"large\":\""
                                + "x".repeat(i % 100 == 0 ? 20_000 : 1) + "\"}"))
                .toList();
        system.publish(TestEvents.json(events)).then().statusCode(200);
        system.awaitSettled();
        system.awaitHorizon();
        List<String> plain = lines("", "identity");
        assertThat(plain).hasSize(2_500).doesNotHaveDuplicates();
        assertThat(lines("", "gzip")).isEqualTo(plain);
        assertThat(lines("?source=shop&topic=" + "%C3%9Cn%C3%AFcode.1&from=2025-12-08T10:00:00.5Z", "gzip"))
                .isEqualTo(plain.stream()
                        .filter(line -> line.startsWith("{\"topic\":\"Ünïcode.1\"")
                                && line.contains("\"source\":\"shop\"")
                                && TestEvents.tree(line)
                                                .get("timestamp")
                                                .stringValue()
                                                .compareTo("2025-12-08T10:00:00.5")
                                        >= 0)
                        .toList())
                .isNotEmpty();

        system.jdbc().sql("TRUNCATE events").update();
        assertThat(lines("", "gzip")).isEmpty();
        Path file = Files.write(folder.resolve("export.ndjson"), plain);
        PublisherRun run = system.runPublisher(
                "--publisher.input=" + file, "--publisher.duplicate-ratio=0", "--publisher.batch-size=500");
        assertThat(run.status()).as(run.output()).isZero();
        system.awaitHorizon();
        assertThat(lines("", "identity")).containsExactlyInAnyOrderElementsOf(plain);
    }

    @Test
    @Order(2)
    void refusesWhatIsOfPagesAndUnknown() {
        for (String parameter : List.of("limit=5", "order=asc", "cursor=1-1", "nonsense=1", "from=x")) {
            system.http()
                    .get("/events.ndjson?" + parameter)
                    .then()
                    .statusCode(422)
                    .contentType("application/problem+json")
                    .body("errors[0].field", equalTo(parameter.substring(0, parameter.indexOf('='))));
        }
        system.http()
                .accept("application/json")
                .get("/events.ndjson")
                .then()
                .statusCode(406)
                .contentType("application/problem+json");
        system.http().head("/events.ndjson").then().statusCode(200).contentType("application/x-ndjson");
    }

    /** Each row has 1,500 bytes, of which no two are alike. */
    private static void fill() {
        system.jdbc().sql("TRUNCATE events").update();
        system.jdbc().sql("""
                        INSERT INTO events (topic, event_id, ts, source, payload, received_at)
                        SELECT 'large', n::text, now(), 'test',
                            jsonb_build_object('text', (SELECT string_agg(md5(n || '-' || i), '') || repeat('x', 1100)
                                FROM generate_series(1, 12) AS i)), now()
                        FROM generate_series(1, ?) AS n
                        """).param(ROWS).update();
        system.awaitHorizon();
    }

    @Test
    @Order(3)
    void moreThanTheHeapIsGivenInFlatMemoryAndASlowClientCostsTheDatabaseNothing() throws Exception {
        fill();
        assertThat(count(body(export("", "identity")))).isEqualTo(ROWS);
        assertThat(count(body(export("", "gzip")))).isEqualTo(ROWS);

        List<InputStream> slow = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            InputStream body = body(export("", i == 0 ? "gzip" : "identity"));
            assertThat(body.read()).isEqualTo('{');
            slow.add(body);
        }
        HttpResponse<InputStream> fifth = export("", "identity");
        assertThat(fifth.statusCode()).isEqualTo(503);
        assertThat(fifth.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(new String(fifth.body().readAllBytes(), UTF_8)).contains("api.max-exports");
        // All four wait for their clients, and none of them for, or in, the database.
        Awaitility.await()
                .until(() -> system.jdbc()
                                .sql("SELECT count(*) FROM pg_stat_activity"
                                        + " WHERE application_name = 'aggregator-api' AND xact_start IS NOT NULL")
                                .query(Integer.class)
                                .single()
                        == 0);
        assertThat(system.events("?limit=1").events()).hasSize(1);

        for (InputStream body : slow) {
            body.close();
        }
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> export("?topic=none", "identity").statusCode() == 200);
        assertThat(api.isAlive()).isTrue();
        assertThat(api.log()).doesNotContain("OutOfMemoryError", "ERROR");
    }

    @Test
    @Order(4)
    void whatCanNotBeGivenToItsEndIsBrokenOff() throws Exception {
        InputStream plain = body(export("", "identity"));
        InputStream compressed = body(export("", "gzip"));
        assertThat(plain.readNBytes(100_000)).hasSize(100_000);
        assertThat(compressed.readNBytes(100_000)).hasSize(100_000);
        system.postgres().kill();
        try {
            assertThatThrownBy(() -> count(plain)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> count(compressed)).isInstanceOf(IOException.class);
            HttpResponse<InputStream> away = export("", "gzip");
            assertThat(away.statusCode()).isEqualTo(503);
            assertThat(away.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        } finally {
            system.postgres().start();
            system.postgres().awaitReady();
        }
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .until(() -> export("?topic=none", "gzip").statusCode() == 200);
        assertThat(api.log()).doesNotContain("ERROR");
    }
}
