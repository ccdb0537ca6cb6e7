package io.github.logaggregator.api;

import io.github.logaggregator.api.ApiKey.Scope;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpHeaders;
import org.springframework.security.authentication.AuthenticationManager;
import org.springframework.security.authorization.AuthorizationDecision;
import org.springframework.security.authorization.AuthorizationDeniedException;
import org.springframework.security.authorization.AuthorizationManager;
import org.springframework.security.authorization.AuthorizationResult;
import org.springframework.security.core.Authentication;
import org.springframework.security.core.AuthenticationException;
import org.springframework.security.web.DefaultSecurityFilterChain;
import org.springframework.security.web.FilterChainProxy;
import org.springframework.security.web.access.ExceptionTranslationFilter;
import org.springframework.security.web.access.intercept.AuthorizationFilter;
import org.springframework.security.web.access.intercept.RequestAuthorizationContext;
import org.springframework.security.web.access.intercept.RequestMatcherDelegatingAuthorizationManager;
import org.springframework.security.web.authentication.AuthenticationFilter;
import org.springframework.security.web.authentication.preauth.PreAuthenticatedAuthenticationToken;
import org.springframework.security.web.firewall.FirewalledRequest;
import org.springframework.security.web.firewall.HttpFirewall;
import org.springframework.security.web.method.annotation.AuthenticationPrincipalArgumentResolver;
import org.springframework.security.web.savedrequest.NullRequestCache;
import org.springframework.security.web.servlet.util.matcher.PathPatternRequestMatcher;
import org.springframework.security.web.util.matcher.AnyRequestMatcher;
import org.springframework.security.web.util.matcher.NegatedRequestMatcher;
import org.springframework.security.web.util.matcher.OrRequestMatcher;
import org.springframework.security.web.util.matcher.RequestMatcher;
import org.springframework.web.method.support.HandlerMethodArgumentResolver;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * Who may ask for what: Spring Security's filters, the three of them that this needs. What is not listed here needs the scope admin.
 * What is only known when a body is read, {@link PublishController} refuses, and {@link TopicsController} shows no topics but
 * those of the key.
 */
@Configuration(proxyBeanMethods = false)
class ApiSecurity implements WebMvcConfigurer {
    /** The page, the description, which has the page ask for a key, and what tells whether this process lives. */
    private static final RequestMatcher OPEN = anyOf(
            "/",
            "/index.html",
            "/page.css",
            "/favicon.svg",
            "/js/**",
            "/webjars/**",
            "/docs",
            "/swagger-ui/**",
            "/v3/api-docs/**",
            "/v3/api-docs.yaml",
            "/livez",
            "/readyz",
            "/actuator/health/**");

    private static final String BEARER = "Bearer ";
    private static final AuthorizationResult GRANTED = new AuthorizationDecision(true);

    /** Behind what observes a request, and behind {@link BrowserGuard}. */
    private static final int ORDER = -100;

    @Bean
    FilterRegistrationBean<FilterChainProxy> keysAreAskedFor(
            ApiKeys keys, @Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        AuthenticationFilter authentication = new AuthenticationFilter(
                (AuthenticationManager) sent -> identify(keys, sent),
                request -> new PreAuthenticatedAuthenticationToken("", sentKey(request)));
        authentication.setSuccessHandler((request, response, key) -> {});
        authentication.setFailureHandler(
                (request, response, e) -> problems.resolveException(request, response, null, refusal(e)));
        ExceptionTranslationFilter translation = new ExceptionTranslationFilter(
                (request, response, e) -> problems.resolveException(request, response, null, refusal(e)),
                new NullRequestCache());
        translation.setAccessDeniedHandler(
                (request, response, e) -> problems.resolveException(request, response, null, refusal(e)));
        FilterChainProxy chain = new FilterChainProxy(new DefaultSecurityFilterChain(
                // What comes most often is looked at first.
                new OrRequestMatcher(path("/publish"), new NegatedRequestMatcher(OPEN)),
                authentication,
                translation,
                new AuthorizationFilter(rules())));
        chain.setFirewall(new TomcatIsFirewall());
        FilterRegistrationBean<FilterChainProxy> registration = new FilterRegistrationBean<>(chain);
        registration.setOrder(ORDER);
        registration.setDispatcherTypes(DispatcherType.REQUEST);
        return registration;
    }

    private static RequestMatcherDelegatingAuthorizationManager rules() {
        return RequestMatcherDelegatingAuthorizationManager.builder()
                .add(path("/publish"), needs(Scope.PUBLISH))
                .add(path("/topics"), needs(Scope.READ))
                .add(
                        anyOf("/events", "/events.ndjson", "/events/stream", "/events/conflicts"),
                        needs(Scope.READ, request -> topicsOfQuery(request.getRequest())))
                .add(
                        anyOf("/events/{topic}/{event_id}", "/events/{topic}/{event_id}/conflicts"),
                        needs(
                                Scope.READ,
                                request -> List.of(request.getVariables().getOrDefault("topic", ""))))
                .add(
                        anyOf("/stats", "/live", "/dead-letters", "/actuator/prometheus"),
                        needs(Scope.READ, request -> List.of()))
                .add(AnyRequestMatcher.INSTANCE, needs(Scope.ADMIN, request -> List.of()))
                .build();
    }

    private static AuthorizationManager<RequestAuthorizationContext> needs(Scope scope) {
        return (identified, request) -> lacks(scope, key(identified.get()));
    }

    /** @param topics that a request names; one that names none is about all of them */
    private static AuthorizationManager<RequestAuthorizationContext> needs(
            Scope scope, Function<RequestAuthorizationContext, List<String>> topics) {
        return (identified, request) -> {
            ApiKey key = key(identified.get());
            AuthorizationResult result = lacks(scope, key);
            return result.isGranted() && !key.coversAll() ? isNotFor(key, request, topics) : result;
        };
    }

    private static AuthorizationResult lacks(Scope scope, ApiKey key) {
        return key.scopes().contains(scope)
                ? GRANTED
                : new Denied(Refusal.forbidden("This needs the scope " + scope.text() + ", which the key has not."));
    }

    private static AuthorizationResult isNotFor(
            ApiKey key,
            RequestAuthorizationContext request,
            Function<RequestAuthorizationContext, List<String>> topics) {
        List<String> named;
        try {
            named = topics.apply(request);
        } catch (InvalidParameterException e) {
            return new Denied(Refusal.malformed(ProblemAdvice.UNDECODABLE_QUERY));
        }
        if (named.isEmpty()) {
            return new Denied(Refusal.forbidden("This tells of all topics, and the key is for " + key.topicsText()
                    + " only. Name such topics where there is a parameter for it."));
        }
        return named.stream()
                .filter(topic -> !key.covers(topic))
                .findFirst()
                .<AuthorizationResult>map(topic -> new Denied(Refusal.forbidden(
                        "The key is not for the topic " + topic + ", but for " + key.topicsText() + " only.")))
                .orElse(GRANTED);
    }

    private static List<String> topicsOfQuery(HttpServletRequest request) {
        String[] topics = request.getParameterValues("topic");
        return topics == null ? List.of() : List.of(topics);
    }

    /** What is refused, and how it is answered. */
    private record Denied(Refusal refusal) implements AuthorizationResult {
        @Override
        public boolean isGranted() {
            return false;
        }
    }

    /** Somebody who could not be identified, and how that is answered. */
    private static final class UnidentifiedException extends AuthenticationException {
        private final transient Refusal refusal;

        UnidentifiedException(Refusal refusal) {
            super("nobody is identified");
            this.refusal = refusal;
        }
    }

    private static Authentication identify(ApiKeys keys, Authentication sent) {
        try {
            ApiKey key = keys.identify((String) sent.getCredentials());
            return new PreAuthenticatedAuthenticationToken(key, null, List.of());
        } catch (Refusal e) {
            throw new UnidentifiedException(e);
        }
    }

    private static ApiKey key(@Nullable Authentication identified) {
        return (ApiKey)
                Objects.requireNonNull(Objects.requireNonNull(identified).getPrincipal());
    }

    private static @Nullable String sentKey(HttpServletRequest request) {
        String authorization = request.getHeader(HttpHeaders.AUTHORIZATION);
        return authorization != null && authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())
                ? authorization.substring(BEARER.length()).strip()
                : request.getHeader("X-API-Key");
    }

    private static Refusal refusal(Exception e) {
        if (e instanceof UnidentifiedException unidentified) {
            return unidentified.refusal;
        }
        return e instanceof AuthorizationDeniedException denied
                        && denied.getAuthorizationResult() instanceof Denied result
                ? result.refusal()
                : Refusal.forbidden("The key is not for this.");
    }

    private static RequestMatcher anyOf(String... patterns) {
        return new OrRequestMatcher(Stream.of(patterns).map(ApiSecurity::path).toList());
    }

    private static RequestMatcher path(String pattern) {
        return PathPatternRequestMatcher.withDefaults().matcher(pattern);
    }

    /**
     * Lets everything through: Tomcat refuses what is no path, and what it takes is read by the rules above as Spring MVC reads it,
     * so that no path means one thing here and another one there. Topics with a slash, a semicolon or two dots are asked for.
     */
    private static final class TomcatIsFirewall implements HttpFirewall {
        @Override
        public FirewalledRequest getFirewalledRequest(HttpServletRequest request) {
            return new FirewalledRequest(request) {
                @Override
                public void reset() {}
            };
        }

        @Override
        public HttpServletResponse getFirewalledResponse(HttpServletResponse response) {
            return response;
        }
    }

    /** Lets a controller have the key as a parameter with {@code @AuthenticationPrincipal}. */
    @Override
    public void addArgumentResolvers(List<HandlerMethodArgumentResolver> resolvers) {
        resolvers.add(new AuthenticationPrincipalArgumentResolver());
    }

    /** An API that does not know its keys yet can do nothing for anybody; once it does, PostgreSQL may be away. */
    @Bean
    HealthIndicator keysHealthIndicator(ApiKeys keys) {
        return () -> (keys.isReady() ? Health.up() : Health.outOfService()).build();
    }
}
