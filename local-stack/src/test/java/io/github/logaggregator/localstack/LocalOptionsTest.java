package io.github.logaggregator.localstack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalOptionsTest {
    @Test
    void keepsItsOwnOptionsAndPassesThePublishersOn() {
        LocalOptions options =
                LocalOptions.parse("--publisher.count=20", "--local.api-port=9080", "--publisher.topics=a,b");

        assertThat(options.port("api-port")).isEqualTo(9080);
        assertThat(options.port("worker-port")).isEqualTo(8081);
        assertThat(options.publisher()).containsExactly("--publisher.count=20", "--publisher.topics=a,b");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--local.api-prot=1", "--local.api-port", "--server.port=1", "api-port=1"})
    void refusesWhatItDoesNotKnow(String argument) {
        assertThatThrownBy(() -> LocalOptions.parse(argument))
                .isInstanceOf(StackException.class)
                .hasMessageContaining(argument)
                .hasMessageContaining("redis-port");
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "65536", "-1", "http", "999999999999"})
    void refusesAPortThatIsNone(String port) {
        assertThatThrownBy(() -> LocalOptions.parse("--local.redis-port=" + port))
                .isInstanceOf(StackException.class)
                .hasMessageContaining("--local.redis-port=" + port);
    }
}
