package io.github.logaggregator.api;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.web.servlet.HandlerExceptionResolver;

/**
 * Keeps a browser from doing harm: what it shows of ours runs no script but ours and stands in nobody's frame, and what
 * another site lets it send changes nothing. Who is no browser sends neither Origin nor Sec-Fetch-Site, and notices nothing.
 */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
class BrowserGuard implements Filter {
    private static final String PUBLISH = "/publish";

    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /** Swagger UI sets styles, and has images, in its markup. */
    private static final String POLICY_OF_DOCS =
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
                    + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private final HandlerExceptionResolver problems;

    BrowserGuard(@Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        this.problems = problems;
    }

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        guard((HttpServletRequest) request, (HttpServletResponse) response, chain);
    }

    private void guard(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        String path = request.getRequestURI();
        // To write them costs as much as to parse an event, and no browser shows what a publish is answered with.
        if (!path.equals(PUBLISH)) {
            response.addHeader("Content-Security-Policy", path.startsWith("/swagger-ui/") ? POLICY_OF_DOCS : POLICY);
            response.addHeader("X-Content-Type-Options", "nosniff");
            response.addHeader("Referrer-Policy", "no-referrer");
        }
        Refusal refusal = changesSomething(request.getMethod()) ? refusal(request, path) : null;
        if (refusal == null) {
            chain.doFilter(request, response);
        } else {
            problems.resolveException(request, response, null, refusal);
        }
    }

    private static boolean changesSomething(String method) {
        return !method.equals("GET") && !method.equals("HEAD") && !method.equals("OPTIONS");
    }

    private static @Nullable Refusal refusal(HttpServletRequest request, String path) {
        if (isOfAnotherOrigin(request)) {
            RefusedRequests.isCrossOrigin(request);
            return Refusal.forbidden("What changes something is not taken from a page of another origin.");
        }
        // What may be published, and that it is no form, PublishForms knows better.
        if (!path.equals(PUBLISH) && isOfForm(request.getContentType())) {
            return Refusal.unsupportedType("No form is taken.", List.of(MediaType.APPLICATION_JSON));
        }
        return null;
    }

    /** Browsers send Sec-Fetch-Site where they trust the way (HTTPS, and localhost), Origin always. */
    private static boolean isOfAnotherOrigin(HttpServletRequest request) {
        String site = request.getHeader("Sec-Fetch-Site");
        if (site != null) {
            return !site.equals("same-origin") && !site.equals("none");
        }
        String origin = request.getHeader(HttpHeaders.ORIGIN);
        if (origin == null) {
            return false;
        }
        // Not the scheme: that may end at a proxy before this.
        String host = request.getHeader(HttpHeaders.HOST);
        return host == null || !origin.substring(origin.indexOf("://") + 3).equalsIgnoreCase(host);
    }

    private static boolean isOfForm(@Nullable String contentType) {
        if (contentType == null) {
            return false;
        }
        String type = contentType.toLowerCase(Locale.ROOT);
        return type.startsWith(MediaType.APPLICATION_FORM_URLENCODED_VALUE)
                || type.startsWith(MediaType.MULTIPART_FORM_DATA_VALUE)
                || type.startsWith(MediaType.TEXT_PLAIN_VALUE);
    }
}
