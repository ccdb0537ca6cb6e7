package io.github.logaggregator.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a browser is told about everything that it is given, and what it can't be brought to send. */
@SharedSystem
class BrowserGuardIT {
    private static final String EVENT = TestEvents.json(TestEvents.event("guarded", "1"));

    @ParameterizedTest
    @ValueSource(strings = {"/", "/js/page.js", "/webjars/uplot/dist/uPlot.esm.js", "/stats", "/events", "/nothing"})
    void everythingHasAStrictPolicy(String path, AggregatorSystem system) {
        system.http()
                .get(path)
                .then()
                .header("Content-Security-Policy", containsString("default-src 'none'; script-src 'self'"))
                .header("Content-Security-Policy", containsString("frame-ancestors 'none'"))
                .header("Content-Security-Policy", not(containsString("unsafe")))
                .header("X-Content-Type-Options", equalTo("nosniff"))
                .header("Referrer-Policy", equalTo("no-referrer"));
    }

    @Test
    void onlyTheSwaggerUiMaySetStyles(AggregatorSystem system) {
        system.http()
                .get("/swagger-ui/index.html")
                .then()
                .statusCode(200)
                .header("Content-Security-Policy", containsString("style-src 'self' 'unsafe-inline'"))
                .header("Content-Security-Policy", containsString("script-src 'self';"));
    }

    @ParameterizedTest
    @CsvSource({
        "Sec-Fetch-Site, cross-site",
        "Sec-Fetch-Site, same-site",
        "Origin, http://attacker.example",
        "Origin, null",
        "Origin, http://127.0.0.1:1"
    })
    void nothingIsTakenFromAPageOfAnotherOrigin(String header, String value, AggregatorSystem system) {
        double before = refused(system);
        for (String path : List.of("/publish", "/dead-letters/replay", "/dead-letters/1/replay")) {
            Response response = json(system).header(header, value).body(EVENT).post(path);
            response.then()
                    .statusCode(403)
                    .contentType("application/problem+json")
                    .body("detail", equalTo("What changes something is not taken from a page of another origin."))
                    .body("instance", equalTo(path));
        }
        Awaitility.await().atMost(10, TimeUnit.SECONDS).until(() -> refused(system) == before + 3);
        json(system).header(header, value).get("/stats").then().statusCode(200);
    }

    private static RequestSpecification json(AggregatorSystem system) {
        return system.http().contentType("application/json");
    }

    private static double refused(AggregatorSystem system) {
        Metrics metrics = Metrics.of(system, system.apis());
        return metrics.value("aggregator_events_rejected_total{reason=\"cross_origin\"}")
                + metrics.value("aggregator_requests_rejected_total{reason=\"cross_origin\"}");
    }

    @Test
    void ownPagesAndWhoIsNoBrowserAreNotHindered(AggregatorSystem system) {
        String own = system.api().toString();
        for (Map<String, String> headers : List.of(
                Map.<String, String>of(),
                Map.of("Origin", own),
                Map.of("Origin", own, "Sec-Fetch-Site", "same-origin"))) {
            json(system).headers(headers).body(EVENT).post("/publish").then().statusCode(200);
            system.http()
                    .headers(headers)
                    .noContentType()
                    .post("/dead-letters/replay")
                    .then()
                    .statusCode(202);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "Text/Plain"})
    void nothingIsTakenThatAFormCanSend(String contentType, AggregatorSystem system) {
        byte[] body = EVENT.getBytes(UTF_8);
        for (String path : List.of("/publish", "/dead-letters/replay", "/dead-letters/1/replay")) {
            byte[] request = RawHttp.request(
                    body,
                    "POST " + path + " HTTP/1.1",
                    "Content-Type: " + contentType,
                    "Content-Length: " + body.length);
            assertThat(RawHttp.exchange(system.api(), request).assertProblem().status())
                    .as(path)
                    .isEqualTo(415);
        }
    }
}
