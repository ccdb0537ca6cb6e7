package io.github.logaggregator.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TopicPatternTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "debug.*|debug.|true",
                "debug.*|debug.a.b|true",
                "debug.*|debug|false",
                "debug.*|debugXa|false",
                "debug.*|a.debug.b|false",
                "*.debug|a.debug|true",
                "*.debug|a.debug.b|false",
                "debug|debug|true",
                "debug|Debug|false",
                "debug|debug2|false",
                "*|a'b\"%_\\|true",
                "a*a|a|false",
                "a*a|aa|true",
                "ab*ba|aba|false",
                "a*b*c|a.b.c|true",
                "a*b*c|abc|true",
                "a*b*c|acb|false",
                "a*bc*cd|abcd|false",
                "a*bc*cd|abccd|true",
                "a**b|ab|true",
                "*a*|bab|true",
                "*a*|bbb|false",
                "%|x|false",
                "_|x|false",
                ".|x|false",
                "a'b\"%_\\?[x]{2}*|a'b\"%_\\?[x]{2}é😀|true",
                "a'b\"%_\\?[x]{2}*|a'b\"%_\\yxx|false",
                "\\*|\\x|true",
                "\\E*|\\Ex|true",
                "x*|`x\ny`|true"
            })
    void onlyTheStarStandsForOtherCharacters(String pattern, String topic, boolean fits) {
        assertThat(new TopicPattern(pattern).covers(topic)).isEqualTo(fits);
    }

    @Test
    @Timeout(10)
    void manyStarsTakeNoTime() {
        assertThat(new TopicPattern("*a".repeat(100) + "b").covers("a".repeat(255)))
                .isFalse();
        assertThat(new TopicPattern("*a".repeat(100) + "*b").covers("a".repeat(254) + "b"))
                .isTrue();
    }

    @ParameterizedTest
    @CsvSource({"*, true", "***, true", "*a, false", "a*, false", "a, false"})
    void onlyStarsCoverEveryTopic(String pattern, boolean all) {
        assertThat(new TopicPattern(pattern).coversAll()).isEqualTo(all);
    }
}
