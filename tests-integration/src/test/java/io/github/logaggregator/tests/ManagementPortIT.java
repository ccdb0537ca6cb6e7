package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.Ports;
import io.restassured.RestAssured;
import io.restassured.specification.RequestSpecification;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an API whose management endpoints have a port of their own shows there, and at the other one, where there are keys. */
@OwnSystem(apis = 0, workers = 0)
@TestInstance(Lifecycle.PER_CLASS)
class ManagementPortIT {
    private final int port = Ports.free();
    private AggregatorSystem system;
    private String key;

    @BeforeAll
    void start(AggregatorSystem own) {
        system = own;
        key = new Keys(system).create("operator", "publish,read,admin", "*");
        system.startApi(LaunchOptions.defaults()
                .withArguments("--management.server.port=" + port, "--management.server.address=127.0.0.1"));
    }

    private RequestSpecification management() {
        return RestAssured.given().baseUri("http://127.0.0.1").port(port);
    }

    private RequestSpecification withKey() {
        return system.http().header("Authorization", "Bearer " + key);
    }

    @Test
    void metricsNeedNoKeyThere() {
        management()
                .get("/actuator/prometheus")
                .then()
                .statusCode(200)
                .body(containsString("aggregator_events_received_total "));
        for (String group : new String[] {"", "/liveness", "/readiness"}) {
            management().get("/actuator/health" + group).then().statusCode(200).body("status", equalTo("UP"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/actuator/prometheus", "/actuator", "/actuator/health", "/actuator/health/readiness"})
    void nothingOfItIsAtTheOther(String path) {
        withKey().get(path).then().statusCode(404);
        assertThat(system.http().get(path).statusCode()).isIn(401, 404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/stats", "/events", "/topics", "/dead-letters", "/live", "/", "/docs", "/v3/api-docs"})
    void nothingElseIsThere(String path) {
        withKey().head(path).then().statusCode(200);
        management().redirects().follow(false).head(path).then().statusCode(404);
        management().header("Authorization", "Bearer " + key).head(path).then().statusCode(404);
    }

    @Test
    void nothingIsPublishedThere() {
        management()
                .contentType("application/json")
                .body(TestEvents.json(TestEvents.event("t", "1")))
                .post("/publish")
                .then()
                .statusCode(404);
        Awaitility.await().untilAsserted(() -> withKey().get("/stats").then().body("books.received", equalTo(0)));
    }

    /** A load balancer has no key, and asks where it sends the requests. */
    @ParameterizedTest
    @ValueSource(strings = {"/livez", "/readyz"})
    void healthIsToldAtTheOtherWithoutAKey(String path) {
        system.http().get(path).then().statusCode(200).body("status", equalTo("UP"));
    }
}
