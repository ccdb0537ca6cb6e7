package io.github.logaggregator.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class ClaimIdTest {
    @Test
    void comesBackAsItWas() {
        ClaimId id = new ClaimId("4d8f5d0e-6e0f-4a35-9d5a-1d6a1a0b6c58", 9_007_199_254_740_991L);
        assertThat(ClaimId.parse(id.toString())).isEqualTo(id);
    }

    @Test
    void refusesWhatIsNoClaimId() {
        for (String text : new String[] {"", "5", ":5", "a:", "a:b"}) {
            assertThatIllegalArgumentException().isThrownBy(() -> ClaimId.parse(text));
        }
    }
}
