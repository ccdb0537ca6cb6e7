package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.Operation;
import io.swagger.v3.oas.models.PathItem.HttpMethod;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import io.swagger.v3.parser.core.models.SwaggerParseResult;
import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.dataformat.yaml.YAMLMapper;

/** The system describes itself: the API by OpenAPI, the services by their health and metrics, the settings by the docs. */
@SharedSystem
class DescriptionIT {
    @Test
    void theDescriptionOfTheApiIsValidAndListsEachEndpoint(AggregatorSystem system) {
        // Which the examples of its parameters name.
        system.publish(TestEvents.json(TestEvents.event("orders", "unique-uuid-123")));
        system.awaitSettled();
        ParseOptions options = new ParseOptions();
        options.setResolveFully(true);
        SwaggerParseResult result = new OpenAPIV3Parser()
                .readContents(system.http().get("/v3/api-docs").asString(), List.of(), options);
        assertThat(result.getMessages()).isEmpty();
        OpenAPI api = result.getOpenAPI();
        assertThat(api.getPaths().keySet())
                .containsExactlyInAnyOrder(
                        "/publish",
                        "/events",
                        "/events.ndjson",
                        "/events/{topic}/{event_id}",
                        "/topics",
                        "/events/{topic}/{event_id}/conflicts",
                        "/events/conflicts",
                        "/events/stream",
                        "/dead-letters",
                        "/dead-letters/{id}/replay",
                        "/dead-letters/replay",
                        "/stats",
                        "/live",
                        "/livez",
                        "/readyz",
                        "/actuator/prometheus");
        api.getPaths().forEach((path, item) -> {
            for (Map.Entry<HttpMethod, Operation> operation :
                    item.readOperationsMap().entrySet()) {
                assertThat(operation.getValue().getSummary()).isNotBlank();
                if (path.equals("/events/stream") || path.equals("/live")) {
                    system.http().head(path).then().statusCode(200); // it has no end
                } else if (operation.getKey() == HttpMethod.GET) {
                    RequestSpecification request = system.http();
                    Objects.requireNonNullElse(operation.getValue().getParameters(), List.<Parameter>of()).stream()
                            .filter(Parameter::getRequired)
                            .forEach(parameter -> {
                                if (parameter.getIn().equals("path")) {
                                    request.pathParam(parameter.getName(), parameter.getExample());
                                } else {
                                    request.queryParam(parameter.getName(), parameter.getExample());
                                }
                            });
                    assertThat(request.get(path).statusCode()).as(path).isEqualTo(200);
                }
            }
        });
        assertThat(Objects.requireNonNull(api.getPaths().get("/publish"))
                        .getPost()
                        .getResponses()
                        .keySet())
                .containsExactlyInAnyOrder(
                        "200", "202", "400", "401", "403", "405", "406", "408", "413", "415", "422", "429", "503");
    }

    @Test
    void theExamplesOfTheDescriptionWork(AggregatorSystem system) {
        Map<String, Map<String, Map<String, Map<?, ?>>>> forms =
                system.http().get("/v3/api-docs").jsonPath().getMap("paths.'/publish'.post.requestBody.content");
        assertThat(forms.keySet())
                .containsExactlyInAnyOrder(
                        "application/json",
                        "application/x-ndjson",
                        "application/cloudevents+json",
                        "application/cloudevents-batch+json");
        forms.forEach((contentType, form) -> {
            Map<String, Map<?, ?>> examples = Objects.requireNonNull(form.get("examples"));
            assertThat(examples).isNotEmpty();
            examples.forEach((name, example) -> {
                Object value = Objects.requireNonNull(example.get("value"));
                String body = value instanceof String text ? text : TestEvents.JSON.writeValueAsString(value);
                HttpResponse<String> response =
                        FormsIT.publish(system, contentType, false, BodyPublishers.ofString(body));
                assertThat(response.statusCode())
                        .as("%s: %s", name, response.body())
                        .isEqualTo(200);
                assertThat(response.body()).startsWith("{\"status\":\"queued\",");
            });
        });
    }

    @Test
    void docsIsTheSwaggerUi(AggregatorSystem system) {
        system.http()
                .get("/docs")
                .then()
                .statusCode(200)
                .contentType("text/html")
                .body(containsString("swagger-ui"));
        Response config = system.http().get("/v3/api-docs/swagger-config");
        assertThat(config.jsonPath().getString("url")).isEqualTo("/v3/api-docs");
    }

    @Test
    void bothServicesTellTheirHealthAndMetrics(AggregatorSystem system) {
        system.publish(TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "1")));
        system.publish("{");
        system.awaitSettled();
        for (var service : List.of(system.apis().getFirst(), system.workers().getFirst())) {
            for (String path :
                    List.of("/livez", "/readyz", "/actuator/health/liveness", "/actuator/health/readiness")) {
                system.http()
                        .baseUri(service.uri().toString())
                        .get(path)
                        .then()
                        .statusCode(200)
                        .body("status", equalTo("UP"));
            }
        }
        assertThat(system.metrics(system.apis().getFirst()))
                .contains(
                        "aggregator_events_received_total ",
                        "aggregator_events_rejected_total{reason=\"malformed\"} ",
                        "aggregator_publish_seconds_count ",
                        "aggregator_publish_waiting ",
                        "aggregator_publish_wait_seconds_count{ended=\"settled\"} ",
                        "aggregator_publish_wait_seconds_count{ended=\"given_up\"} ",
                        "aggregator_books{account=\"unaccounted\"} 0.0",
                        "aggregator_queue_length 0.0",
                        "aggregator_queue_oldest_age_seconds 0.0",
                        "aggregator_queue_usage ",
                        "aggregator_workers 1.0",
                        "aggregator_topic_stored{topic=\"(others)\"} ",
                        "aggregator_topic_duplicates{topic=\"(others)\"} ");
        assertThat(system.metrics(system.workers().getFirst()))
                .contains(
                        "aggregator_events_settled_total{outcome=\"stored\"} ",
                        "aggregator_events_settled_total{outcome=\"duplicate\"} ",
                        "aggregator_events_settled_total{outcome=\"dead_lettered\"} ",
                        "aggregator_events_conflicting_total ",
                        "aggregator_claim_settle_seconds_count ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"aggregator-api", "aggregator-worker", "publisher"})
    void theDocumentationNamesEverySetting(String service) throws IOException {
        Path settings = AggregatorSystem.ROOT.resolve(service + "/src/main/resources/application.yml");
        Map<?, ?> all = new YAMLMapper().readValue(Files.readString(settings), Map.class);
        String prefix = service.substring(service.lastIndexOf('-') + 1);
        List<String> keys =
                keys(prefix, Objects.requireNonNull(all.get(prefix))).toList();
        assertThat(keys).hasSizeGreaterThan(5);
        assertThat(Files.readString(AggregatorSystem.ROOT.resolve("docs/operations.md")))
                .contains(keys.stream().map(key -> "| `" + key + "` |").toList());
    }

    private static Stream<String> keys(String prefix, Object value) {
        return value instanceof Map<?, ?> map
                ? map.entrySet().stream().flatMap(entry -> keys(prefix + "." + entry.getKey(), entry.getValue()))
                : Stream.of(prefix);
    }
}
