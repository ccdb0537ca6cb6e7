package io.github.logaggregator.api;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ResponseEntity;
import org.springframework.web.servlet.support.ServletUriComponentsBuilder;

/** What all lists have in common: a limit, and a link to the next page (RFC 8288). */
final class Paging {
    static final String DEFAULT_LIMIT = "100";

    private static final int MAX_LIMIT = 1_000;

    private Paging() {}

    /** @throws Refusal if it is none (422) */
    static void checkLimit(int limit) {
        if (limit < 1 || limit > MAX_LIMIT) {
            throw invalid("limit", "must be 1 to " + MAX_LIMIT);
        }
    }

    static Refusal invalid(String parameter, String message) {
        return Refusal.invalid(
                "The parameter " + parameter + " is not valid.",
                List.of(Map.of("field", parameter, "message", message)));
    }

    /** @param next the parameter {@code cursor} of the next page; null if this is the last */
    static <T> ResponseEntity<List<T>> answer(List<T> page, @Nullable Object next) {
        ResponseEntity.BodyBuilder response = ResponseEntity.ok();
        if (next != null) {
            String uri = ServletUriComponentsBuilder.fromCurrentRequest()
                    .replaceQueryParam("cursor", next)
                    .build() // as it was sent: it is encoded already
                    .toUriString();
            response.header(HttpHeaders.LINK, "<" + uri + ">; rel=\"next\"");
        }
        return response.body(page);
    }
}
