package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.EmbeddedRedisStore;
import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.localstack.Store;
import io.github.logaggregator.model.Stats;
import io.github.logaggregator.model.Stats.Books;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * By settings alone, everything that goes over a network is encrypted, and who answers is known by its certificate: the
 * API, and before it Redis and PostgreSQL, which take nothing else here.
 */
@OwnSystem(apis = 0, workers = 0)
class TlsIT {
    private static final Duration WITHIN = Duration.ofSeconds(60);
    private static final String DATABASE = "SPRING_DATASOURCE_URL=";

    private static AggregatorSystem system;
    private static CertificateAuthority authority;
    private static CertificateAuthority stranger;
    private static CertificateAuthority.Issued ofApi;
    private static CertificateAuthority.Issued ofStores;
    private static ServiceProcess api;

    @BeforeAll
    static void takeNothingButTls(AggregatorSystem own, @TempDir Path folder)
            throws IOException, GeneralSecurityException {
        assumeTrue(
                Backing.chosen() == Backing.EMBEDDED,
                "Skipped: in containers the stores don't find the certificates (-Dbacking=embedded)");
        system = own;
        authority = new CertificateAuthority(folder.resolve("authority"));
        stranger = new CertificateAuthority(folder.resolve("stranger"));
        ofApi = authority.issue("api");
        ofStores = authority.issue("stores");
        redisTakesNothingButTls(ofStores);
        postgresTakesNothingButTls(ofStores);
        api = system.launchApi(served(trusting(authority)));
        awaitReadiness(api, 200);
        system.startWorker(trusting(authority));
    }

    /** The listener of this connection closes, the connection itself stays. */
    private static void redisTakesNothingButTls(CertificateAuthority.Issued issued) {
        RedisCommands<String, String> redis = system.redis();
        redis.configSet(Map.of(
                "tls-cert-file", issued.certificate().toString(),
                "tls-key-file", issued.key().toString(),
                "tls-ca-cert-file", authority.certificate().toString(),
                "tls-auth-clients", "no"));
        redis.configSet("port", "0");
        redis.configSet("tls-port", Integer.toString(system.redisStore().port()));
        assertThat(EmbeddedRedisStore.answers(
                        system.redisStore().host(), system.redisStore().port()))
                .isFalse();
    }

    private static void postgresTakesNothingButTls(CertificateAuthority.Issued issued) throws IOException {
        JdbcClient jdbc = system.jdbc();
        jdbc.sql("ALTER SYSTEM SET ssl = on").update();
        Path rules = Path.of(jdbc.sql("SHOW hba_file").query(String.class).single());
        Files.writeString(rules, "hostssl all all 127.0.0.1/32 scram-sha-256\n");
        postgresShows(issued);
        Awaitility.await()
                .atMost(WITHIN)
                .untilAsserted(
                        () -> assertThat(whyPostgresRefusesPlainConnections()).contains("no encryption"));
    }

    private static String whyPostgresRefusesPlainConnections() {
        String url = postgresUrl() + "?sslmode=disable";
        try {
            DriverManager.getConnection(url, EmbeddedPostgresStore.USER, EmbeddedPostgresStore.PASSWORD)
                    .close();
            return "";
        } catch (SQLException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private static String postgresUrl() {
        Store postgres = system.postgres();
        return EmbeddedPostgresStore.jdbcUrl(postgres.host(), postgres.port());
    }

    /** A service that trusts an authority's stores. */
    private static LaunchOptions trusting(CertificateAuthority trusted) {
        return trusting(trusted, trusted);
    }

    private static LaunchOptions trusting(CertificateAuthority ofRedis, CertificateAuthority ofPostgres) {
        LaunchOptions options = withEnvironment(
                LaunchOptions.defaults(),
                documented("TLS to the stores", ofRedis).filter(setting -> !setting.startsWith(DATABASE)));
        String url = documented("TLS to the stores", ofPostgres)
                .filter(setting -> setting.startsWith(DATABASE))
                .findFirst()
                .orElseThrow()
                .substring(DATABASE.length())
                .replace(
                        "localhost:5432",
                        system.postgres().host() + ":" + system.postgres().port());
        // As an argument, since the stack itself tells the address without TLS in the environment.
        return options.withArguments("--spring.datasource.url=" + url);
    }

    /** An API that has the certificate {@link #ofApi}, and is soon done with its renewal. */
    private static LaunchOptions served(LaunchOptions options) {
        return withEnvironment(options, documented("TLS of the API", authority))
                .withArguments("--spring.ssl.bundle.watch.file.quiet-period=500ms");
    }

    private static LaunchOptions withEnvironment(LaunchOptions options, Stream<String> settings) {
        return settings.map(setting -> setting.split("=", 2))
                .reduce(options, (all, pair) -> all.withEnvironment(pair[0], pair[1]), (one, other) -> other);
    }

    /** The settings in a section of docs/operations.md, as they stand there, with an authority's files. */
    private static Stream<String> documented(String section, CertificateAuthority issuer) {
        try {
            String page = Files.readString(AggregatorSystem.ROOT.resolve("docs/operations.md"));
            String block = page.split("\n### " + section + "\n", 2)[1].split("```\n", 3)[1];
            return block.lines()
                    .map(line -> line.replace("/etc/aggregator", issuer.folder().toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void anEventGoesThroughFromThePublisherToPostgres() throws Exception {
        Books before = settledBooks();

        PublisherRun run = system.runPublisher(Stream.concat(
                        Stream.of("--publisher.count=100"),
                        documented("TLS of the publisher", authority)
                                .map(option -> option.replace("localhost:8080", "127.0.0.1:" + api.port())))
                .toArray(String[]::new));

        assertThat(run.status()).as(run.output()).isZero();
        assertThat(AggregatorSystem.change(before, books())).isEqualTo(new Books(100, 70, 30, 0, 0, 0, 0));
        assertThat(system.jdbc()
                        .sql("SELECT DISTINCT application_name FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                                + " WHERE ssl AND application_name LIKE 'aggregator-%'")
                        .query(String.class)
                        .list())
                .containsExactlyInAnyOrder("aggregator-api", "aggregator-worker");
    }

    @Test
    void aPublisherThatDoesNotTrustTheApiSendsNothing() throws Exception {
        long received = books().received();

        PublisherRun run = system.runPublisher("--publisher.target=" + https(api), "--publisher.wait-for-api=1s");

        assertThat(run.status()).isEqualTo(1);
        assertThat(run.output())
                .contains("was not ready within publisher.wait-for-api=1s")
                .contains("PKIX");
        assertThat(books().received()).isEqualTo(received);
    }

    @Test
    void theApiTakesNothingInPlain() throws Exception {
        long received = books().received();
        try (HttpClient plain = HttpClient.newHttpClient()) {
            HttpResponse<String> response =
                    plain.send(publishing(api.uri().resolve("/publish"), "plain"), BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(400);
        }
        assertThat(books().received()).isEqualTo(received);
    }

    @Test
    void aPageOfTheApiMayPublishOverHttps() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        publishing(https(api).resolve("/publish"), "page"), (name, value) -> true)
                .header("Origin", https(api).toString())
                .header("Sec-Fetch-Site", "same-origin")
                .build();
        assertThat(send(request).statusCode()).isEqualTo(200);
    }

    @Test
    void aWorkerGivesNothingToAPostgresThatItDoesNotTrust() throws Exception {
        long stored = settledBooks().stored();
        system.workers().forEach(ServiceProcess::stop);
        ServiceProcess worker = system.launchWorker(trusting(authority, stranger));

        assertThat(send(publishing(https(api).resolve("/publish"), "distrusted"))
                        .statusCode())
                .isEqualTo(200);
        Awaitility.await()
                .atMost(WITHIN)
                .untilAsserted(() -> assertThat(worker.log()).contains("PostgreSQL fails"));

        assertThat(system.http().baseUri(worker.uri().toString()).get("/readyz").statusCode())
                .isEqualTo(503);
        Books books = books();
        assertThat(books.stored()).isEqualTo(stored);
        assertThat(books.queued() + books.inFlight()).isEqualTo(1);
        worker.stop();
        system.startWorker(trusting(authority));
        awaitStored(stored + 1);
    }

    @Test
    void anApiGivesNothingToARedisThatItDoesNotTrust() throws Exception {
        ServiceProcess distrusting = system.launchApi(served(trusting(stranger, authority)));

        // Until it knows that there are no keys it refuses everything, whatever it trusts.
        Awaitility.await().atMost(WITHIN).until(() -> distrusting.log().contains("There are no keys"));
        awaitReadiness(distrusting, 503);
        HttpResponse<String> refused = send(publishing(https(distrusting).resolve("/publish"), "2"));
        assertThat(refused.statusCode()).isEqualTo(503);
        assertThat(refused.body()).contains("The queue does not answer.");
        distrusting.stop();
    }

    @Test
    void aWorkerTakesNothingFromARedisThatItDoesNotTrust() throws Exception {
        long stored = settledBooks().stored();
        system.workers().forEach(ServiceProcess::stop);
        ServiceProcess worker = system.launchWorker(trusting(stranger, authority));

        assertThat(send(publishing(https(api).resolve("/publish"), "untaken")).statusCode())
                .isEqualTo(200);
        Awaitility.await()
                .atMost(WITHIN)
                .untilAsserted(() -> assertThat(worker.log()).contains("Redis fails"));

        assertThat(books().queued()).isEqualTo(1);
        worker.stop();
        system.startWorker(trusting(authority));
        awaitStored(stored + 1);
    }

    /** Of the right authority, but issued to somebody else. */
    @Test
    void aStoreWithTheCertificateOfAnotherAddressGetsNothing() throws Exception {
        long stored = settledBooks().stored();
        CertificateAuthority.Issued elsewhere = authority.issue("elsewhere", "ip:127.0.0.2,dns:elsewhere");
        system.workers().forEach(ServiceProcess::stop);
        redisShows(elsewhere);
        ServiceProcess worker = system.launchWorker(trusting(authority));
        Awaitility.await()
                .atMost(WITHIN)
                .untilAsserted(() -> assertThat(worker.log()).contains("Redis fails"));
        worker.stop();
        redisShows(ofStores);

        postgresShows(elsewhere);
        ServiceProcess other = system.launchWorker(trusting(authority));
        assertThat(send(publishing(https(api).resolve("/publish"), "elsewhere")).statusCode())
                .isEqualTo(200);
        Awaitility.await()
                .atMost(WITHIN)
                .untilAsserted(() -> assertThat(other.log()).contains("PostgreSQL fails"));
        other.stop();
        postgresShows(ofStores);

        system.startWorker(trusting(authority));
        awaitStored(stored + 1);
    }

    /** To each connection from now on. */
    private static void redisShows(CertificateAuthority.Issued issued) {
        system.redis()
                .configSet(Map.of(
                        "tls-cert-file", issued.certificate().toString(),
                        "tls-key-file", issued.key().toString()));
    }

    /** To each connection from now on. */
    private static void postgresShows(CertificateAuthority.Issued issued) {
        JdbcClient jdbc = system.jdbc();
        jdbc.sql("ALTER SYSTEM SET ssl_cert_file = '" + issued.certificate() + "'")
                .update();
        jdbc.sql("ALTER SYSTEM SET ssl_key_file = '" + issued.key() + "'").update();
        jdbc.sql("SELECT pg_reload_conf()").query().singleValue();
    }

    private static void awaitStored(long stored) {
        Awaitility.await()
                .atMost(WITHIN)
                .ignoreExceptions()
                .untilAsserted(() -> assertThat(books().stored()).isEqualTo(stored));
    }

    @Test
    void aRenewedCertificateIsServedWithoutARestart() throws Exception {
        long pid = api.pid();
        assertThat(servedBy(api)).isEqualTo(ofApi.x509());
        CertificateAuthority.Issued renewed = authority.issue("renewed");

        renewed.replaceCertificate(ofApi);
        // Its key is still that of the old one.
        Awaitility.await().atMost(WITHIN).until(() -> api.log().contains("matches none of the certificates"));
        assertThat(servedBy(api)).isEqualTo(ofApi.x509());
        renewed.replaceKey(ofApi);

        Awaitility.await()
                .atMost(WITHIN)
                .untilAsserted(() -> assertThat(servedBy(api)).isEqualTo(renewed.x509()));
        assertThat(api.isAlive()).isTrue();
        assertThat(api.pid()).isEqualTo(pid);
    }

    private static void awaitReadiness(ServiceProcess service, int status) {
        Awaitility.await()
                .atMost(WITHIN)
                .ignoreExceptionsInstanceOf(IOException.class)
                .until(() -> get(service, "/readyz").statusCode() == status);
    }

    private static Certificate servedBy(ServiceProcess service) throws Exception {
        return get(service, "/livez").sslSession().orElseThrow().getPeerCertificates()[0];
    }

    private static Books books() throws Exception {
        HttpResponse<String> response = get(api, "/stats");
        assertThat(response.statusCode()).isEqualTo(200);
        return TestEvents.JSON.readValue(response.body(), Stats.class).books();
    }

    private static Books settledBooks() {
        return Awaitility.await().atMost(WITHIN).until(TlsIT::books, books -> books.queued() + books.inFlight() == 0);
    }

    private static URI https(ServiceProcess service) {
        return URI.create("https://127.0.0.1:" + service.port());
    }

    private static HttpRequest publishing(URI uri, String id) {
        return HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(TestEvents.json(TestEvents.event("tls", id))))
                .build();
    }

    private static HttpResponse<String> get(ServiceProcess service, String path) throws Exception {
        return send(HttpRequest.newBuilder(https(service).resolve(path)).build());
    }

    /** By a connection of its own, since one that is kept has the certificate with which it was made. */
    private static HttpResponse<String> send(HttpRequest request) throws Exception {
        try (HttpClient client =
                HttpClient.newBuilder().sslContext(authority.trusted()).build()) {
            return client.send(request, BodyHandlers.ofString());
        }
    }
}
