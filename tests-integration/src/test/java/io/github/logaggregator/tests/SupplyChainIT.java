package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.jar.JarFile;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/** What is made known of a release: what each jar is made of, under which licences, and which tests stand for its security. */
class SupplyChainIT {
    private static final String LIBRARIES = "BOOT-INF/lib/";

    /** A test in SECURITY.md: its class, or nothing for the class before, and its method. */
    private static final Pattern TEST = Pattern.compile("`((?:[A-Z]\\w+(?:IT|Test))?)\\.([a-z]+[A-Z]\\w*)`");

    @ParameterizedTest
    @ValueSource(strings = {"aggregator-api", "aggregator-worker", "publisher"})
    void theBillOfMaterialsNamesEveryLibraryWithItsLicence(String service) throws IOException {
        try (JarFile jar = jar(service)) {
            String bill = jar.getManifest().getMainAttributes().getValue("Sbom-Location");
            assertThat(bill).isEqualTo("META-INF/sbom/application.cdx.json");
            JsonNode sbom = TestEvents.tree(text(jar, bill));

            assertThat(sbom.at("/metadata/component/name").stringValue()).isEqualTo(service);
            Map<String, JsonNode> components = sbom.get("components")
                    .valueStream()
                    .collect(Collectors.toMap(SupplyChainIT::fileName, component -> component));
            assertThat(libraries(jar)).isNotEmpty().allSatisfy(library -> {
                JsonNode component = Objects.requireNonNull(components.get(library), library);
                assertThat(component.at("/licenses/0").isMissingNode())
                        .as(library)
                        .isFalse();
            });
            JsonNode springBoot = components.entrySet().stream()
                    .filter(component -> component.getKey().matches("spring-boot-\\d.*"))
                    .findFirst()
                    .orElseThrow()
                    .getValue();
            assertThat(springBoot.at("/licenses/0/license/id").stringValue()).isEqualTo("Apache-2.0");
            assertThat(springBoot.at("/hashes/0/content").stringValue()).isNotBlank();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"aggregator-api", "aggregator-worker", "publisher"})
    void theListOfLicencesNamesEveryLibrary(String service) throws IOException {
        try (JarFile jar = jar(service)) {
            String licences = text(jar, "META-INF/THIRD-PARTY.txt");
            assertThat(libraries(jar)).isNotEmpty().allSatisfy(library -> {
                String artifact = library.replaceFirst("-\\d.*", "");
                assertThat(licences).containsPattern("\\([\\w.-]+\\) .*:" + Pattern.quote(artifact) + ":");
            });
        }
    }

    @Test
    void theThreatModelNamesTestsThatExist() throws IOException {
        String page = Files.readString(AggregatorSystem.ROOT.resolve("SECURITY.md"));
        Map<String, String> tests = sourcesOfTests();
        String testClass = "";
        int named = 0;
        for (MatchResult name : TEST.matcher(page).results().toList()) {
            testClass = name.group(1).isEmpty() ? testClass : name.group(1);
            assertThat(tests).containsKey(testClass);
            assertThat(tests.get(testClass)).contains("void " + name.group(2) + "(");
            named++;
        }
        assertThat(named).isGreaterThan(40);
    }

    private static Map<String, String> sourcesOfTests() throws IOException {
        Map<String, String> sources = new HashMap<>();
        for (String module : List.of("common-model", "publisher", "tests-integration")) {
            try (Stream<Path> files = Files.walk(AggregatorSystem.ROOT.resolve(module + "/src/test/java"))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
                }
            }
        }
        return sources;
    }

    private static JarFile jar(String service) throws IOException {
        Path jar = AggregatorSystem.ROOT.resolve(service + "/target/" + service + ".jar");
        return new JarFile(jar.toFile());
    }

    private static String text(JarFile jar, String entry) throws IOException {
        return new String(jar.getInputStream(jar.getEntry(entry)).readAllBytes(), StandardCharsets.UTF_8);
    }

    /** The libraries in a service's jar, as they are named there: {@code jackson-core-3.1.0.jar}. */
    private static List<String> libraries(JarFile jar) {
        return jar.stream()
                .map(entry -> entry.getName())
                .filter(name -> name.startsWith(LIBRARIES) && name.endsWith(".jar"))
                .map(name -> name.substring(LIBRARIES.length()))
                // Which the packaging adds, so that it can be extracted.
                .filter(name -> !name.startsWith("spring-boot-jarmode-tools-"))
                .toList();
    }

    private static String fileName(JsonNode component) {
        return component.get("name").stringValue() + "-"
                + component.get("version").stringValue() + ".jar";
    }
}
