package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.logaggregator.localstack.Ports;
import io.github.logaggregator.localstack.ServiceProcess;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** What the dashboard shows and the alerts look at is there, as Prometheus finds it, and documented. */
@OwnSystem(apis = 2, workers = 2)
class ObservabilityIT {
    private static final Path FOLDER = AggregatorSystem.ROOT.resolve("observability");
    private static final Path ALERTS = FOLDER.resolve("prometheus/alerts.yml");
    private static final Path UNPACKED = AggregatorSystem.ROOT.resolve("target/prometheus/usr/bin/prometheus");

    /** The services' own metrics and those that Spring Boot gives them; what else a query names is PromQL or a label. */
    private static final Pattern METRIC = Pattern.compile("\\b(?:aggregator|jvm|process)_\\w+");

    private static AggregatorSystem system;

    @BeforeAll
    static void publishSome(AggregatorSystem own) {
        system = own;
        publishDuplicates();
        system.awaitSettled();
        // The topics are told from the next sample on.
        Awaitility.await()
                .atMost(20, TimeUnit.SECONDS)
                .until(() -> Metrics.of(system, system.apis()).sum("aggregator_topic_stored") > 0);
    }

    private static void publishDuplicates() {
        String events = TestEvents.json(TestEvents.events("t", 20));
        system.publish(events).then().statusCode(200);
        system.publish("{}").then().statusCode(422);
    }

    @Test
    void everyQueryNamesMetricsThatAreThere() throws IOException {
        Set<String> there = new HashSet<>();
        Metrics.of(system, services()).values().keySet().forEach(series -> there.add(series.replaceFirst("\\{.*", "")));
        Set<String> named = Stream.concat(dashboardQueries().stream(), alertQueries().stream())
                .flatMap(query -> METRIC.matcher(query).results().map(MatchResult::group))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(named).hasSizeGreaterThan(20);
        assertThat(there).containsAll(named);
    }

    @Test
    void theDocumentationNamesEveryMetricAndHasARunbookForEveryAlert() throws IOException {
        String documentation = Files.readString(AggregatorSystem.ROOT.resolve("docs/operations.md"));
        Set<String> names = new TreeSet<>();
        services().forEach(service -> names.addAll(Metrics.names(system, service)));
        names.removeIf(name -> !name.startsWith("aggregator_") || name.endsWith("_max"));
        assertThat(documentation)
                .contains(names.stream().map(name -> "`" + name + "`").toList());
        for (JsonNode alert : alerts()) {
            String name = alert.get("alert").stringValue();
            assertThat(documentation).contains("### " + name + "\n");
            assertThat(alert.get("annotations").get("runbook").stringValue())
                    .isEqualTo("docs/operations.md#" + name.toLowerCase(Locale.ROOT));
        }
    }

    @Test
    void prometheusAnswersEveryQueryAndAlertsNobody(@TempDir Path folder) throws IOException {
        Path binary = prometheus();
        assumeTrue(binary != null, "Prometheus is not there; .ci/check-observability gets it on Debian");
        int port = Ports.free();
        Files.writeString(folder.resolve("prometheus.yml"), configuration());
        Process process = new ProcessBuilder(
                        String.valueOf(binary),
                        "--config.file=" + folder.resolve("prometheus.yml"),
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        try {
            Set<String> unanswered = new HashSet<>(dashboardQueries());
            Awaitility.await()
                    .atMost(90, TimeUnit.SECONDS)
                    .pollInterval(Duration.ofSeconds(1))
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .untilAsserted(() -> {
                        // A rate, and so a quantile, is there while something happens.
                        publishDuplicates();
                        system.publish(TestEvents.json(TestEvents.event("t", AggregatorSystem.newTopic())));
                        unanswered.removeIf(query -> isAnswered(port, query));
                        assertThat(unanswered).isEmpty();
                    });
            Response rules = get(port, "/api/v1/rules");
            assertThat(rules.jsonPath().getList("data.groups.rules.flatten().health", String.class))
                    .hasSize(alerts().size())
                    .containsOnly("ok");
            assertThat(rules.jsonPath().getList("data.groups.rules.flatten().state", String.class))
                    .containsOnly("inactive");
        } finally {
            process.destroyForcibly().onExit().join();
        }
    }

    private static @Nullable Path prometheus() {
        return Stream.concat(
                        Stream.of(UNPACKED),
                        Stream.of(System.getenv("PATH").split(File.pathSeparator))
                                .map(folder -> Path.of(folder).resolve("prometheus")))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    /** That of the Compose profile, for processes of this machine, and in less time. */
    private static String configuration() {
        return """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: [%s]
                scrape_configs:
                  - {job_name: aggregator-api, metrics_path: /actuator/prometheus, static_configs: [{targets: %s}]}
                  - {job_name: aggregator-worker, metrics_path: /actuator/prometheus, static_configs: [{targets: %s}]}
                """.formatted(ALERTS, targets(system.apis()), targets(system.workers()));
    }

    private static List<String> targets(List<ServiceProcess> services) {
        return services.stream()
                .map(service -> "\"127.0.0.1:" + service.port() + "\"")
                .toList();
    }

    /** Whether a query has a result that is a number. */
    private static boolean isAnswered(int port, String query) {
        Response response = get(port, "/api/v1/query", query.replace("$__rate_interval", "20s"));
        assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
        for (JsonNode result : TestEvents.tree(response.asString()).get("data").get("result")) {
            if (!result.get("value").get(1).stringValue().equals("NaN")) {
                return true;
            }
        }
        return false;
    }

    private static Response get(int port, String path) {
        return RestAssured.given().baseUri("http://127.0.0.1:" + port).get(path);
    }

    private static Response get(int port, String path, String query) {
        return RestAssured.given()
                .baseUri("http://127.0.0.1:" + port)
                .queryParam("query", query)
                .get(path);
    }

    private static List<ServiceProcess> services() {
        return Stream.concat(system.apis().stream(), system.workers().stream()).toList();
    }

    private static List<String> dashboardQueries() throws IOException {
        JsonNode dashboard = TestEvents.tree(Files.readString(FOLDER.resolve("grafana/dashboards/aggregator.json")));
        List<String> queries = new ArrayList<>();
        dashboard.findValues("expr").forEach(query -> queries.add(query.stringValue()));
        assertThat(queries).hasSizeGreaterThan(30);
        return queries;
    }

    private static List<String> alertQueries() throws IOException {
        return alerts().stream().map(alert -> alert.get("expr").stringValue()).toList();
    }

    private static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        new YAMLMapper()
                .readTree(Files.readString(ALERTS))
                .get("groups")
                .forEach(group -> group.get("rules").forEach(alerts::add));
        assertThat(alerts).isNotEmpty();
        return alerts;
    }
}
