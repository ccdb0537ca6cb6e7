package io.github.logaggregator.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.validation.ValidationBindHandler;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.validation.beanvalidation.LocalValidatorFactoryBean;

class WorkerPropertiesTest {
    /** As the worker reads them at its start. */
    private static WorkerProperties properties(Map<String, Object> given) throws IOException {
        List<PropertySource<?>> defaults =
                new YamlPropertySourceLoader().load("defaults", new ClassPathResource("application.yml"));
        List<PropertySource<?>> all = Stream.concat(Stream.of(new MapPropertySource("given", given)), defaults.stream())
                .toList();
        try (LocalValidatorFactoryBean validator = new LocalValidatorFactoryBean()) {
            validator.afterPropertiesSet();
            return new Binder(ConfigurationPropertySources.from(all))
                    .bindOrCreate("worker", Bindable.of(WorkerProperties.class), new ValidationBindHandler(validator));
        }
    }

    @Test
    void everythingIsKeptForEverUnlessItIsToldOtherwise() throws IOException {
        assertThat(properties(Map.of()).retention()).isEmpty();
        assertThat(properties(Map.of()).keep("debug.x")).isNull();
    }

    @Test
    void theFirstPatternThatFitsApplies() throws IOException {
        WorkerProperties properties = properties(Map.of(
                "worker.retention[0].topics", "debug.sql",
                "worker.retention[1].topics", "debug.*",
                "worker.retention[1].keep", "7d",
                "worker.retention[2].topics", "*",
                "worker.retention[2].keep", "1s",
                "worker.retention[3].topics", "orders",
                "worker.retention[3].keep", "9h"));
        assertThat(properties.keep("debug.sql")).isNull();
        assertThat(properties.keep("debug.sql.slow")).isEqualTo(Duration.ofDays(7));
        assertThat(properties.keep("orders")).isEqualTo(Duration.ofSeconds(1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "topics||must not be empty",
                "keep|999ms|must be longer than or equal to 1 second",
                "keep|-7d|must be longer than or equal to 1 second",
                "keep|36501d|must be shorter than or equal to 36500 days"
            })
    void whatMakesNoSenseIsRefused(String key, String value, String message) {
        Map<String, Object> given = Map.of(
                "worker.retention[0].topics", key.equals("topics") ? "" : "a",
                "worker.retention[0].keep", key.equals("keep") ? value : "7d");
        assertThatThrownBy(() -> properties(given))
                .isInstanceOf(BindException.class)
                .rootCause()
                .hasMessageContaining("retention[0]." + key)
                .hasMessageContaining(message);
    }
}
