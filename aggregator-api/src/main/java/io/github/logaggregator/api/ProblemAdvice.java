package io.github.logaggregator.api;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.TypeMismatchException;
import org.springframework.core.MethodParameter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.http.server.ServerHttpRequest;
import org.springframework.http.server.ServerHttpResponse;
import org.springframework.http.server.ServletServerHttpResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.ServletWebRequest;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyAdvice;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import org.springframework.web.servlet.resource.NoResourceFoundException;

/** Answers every error with a problem detail (RFC 9457) that tells nothing of the implementation. */
@RestControllerAdvice
class ProblemAdvice extends ResponseEntityExceptionHandler implements ResponseBodyAdvice<Object> {
    static final String UNDECODABLE_QUERY = "The query can't be decoded.";

    private static final Logger LOG = LoggerFactory.getLogger(ProblemAdvice.class);

    @Override
    protected @Nullable ResponseEntity<Object> handleTypeMismatch(
            TypeMismatchException e, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        String name = e instanceof MethodArgumentTypeMismatchException parameter ? parameter.getName() : "a parameter";
        Refusal refusal = Refusal.invalid(
                "The parameter " + name + " is not valid.",
                List.of(Map.of("field", name, "message", "must be a whole number")));
        return handleExceptionInternal(refusal, refusal.getBody(), headers, refusal.getStatusCode(), request);
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleNoResourceFoundException(
            NoResourceFoundException e, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, "There is nothing at this path.");
        return handleExceptionInternal(e, problem, headers, status, request);
    }

    @Override
    protected ResponseEntity<Object> createResponseEntity(
            @Nullable Object body, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        if (body instanceof ProblemDetail problem && request instanceof ServletWebRequest servlet) {
            problem.setInstance(instance(servlet.getRequest().getRequestURI()));
        }
        // Told by us, it is not negotiated: of a header Accept that nobody understands nothing would come out.
        return ResponseEntity.status(status)
                .headers(headers)
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(body);
    }

    /** A request's path as a reference that is one (RFC 3986): the server takes some paths that are none. */
    static URI instance(String path) {
        String onePath = path.startsWith("//") ? "/." + path : path;
        return URI.create(onePath.replace("[", "%5B").replace("]", "%5D"));
    }

    /** A query that can't be decoded. */
    @ExceptionHandler
    @Nullable
    ResponseEntity<Object> undecodable(InvalidParameterException e, WebRequest request) {
        Refusal refusal = Refusal.malformed(UNDECODABLE_QUERY);
        return handleExceptionInternal(refusal, refusal.getBody(), new HttpHeaders(), refusal.getStatusCode(), request);
    }

    /** Spring Boot's health endpoint does not expect a slash in a segment of its path. */
    @ExceptionHandler
    @Nullable
    ResponseEntity<Object> noSuchHealth(IllegalArgumentException e, WebRequest request) {
        if (request instanceof ServletWebRequest servlet
                && servlet.getRequest().getRequestURI().startsWith("/actuator/health/")) {
            Refusal refusal = Refusal.notFound("There is nothing at this path.");
            return handleExceptionInternal(
                    refusal, refusal.getBody(), new HttpHeaders(), refusal.getStatusCode(), request);
        }
        return unexpected(e, request);
    }

    @ExceptionHandler
    @Nullable
    ResponseEntity<Object> unexpected(Exception e, WebRequest request) {
        LOG.error("A request failed unexpectedly", e);
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(
                HttpStatus.INTERNAL_SERVER_ERROR, "This should not have happened; the log of the API tells more.");
        return handleExceptionInternal(e, problem, new HttpHeaders(), HttpStatus.INTERNAL_SERVER_ERROR, request);
    }

    @Override
    public boolean supports(MethodParameter returnType, Class<? extends HttpMessageConverter<?>> converter) {
        return true;
    }

    /** Gives errors without a body one: Spring's own endpoints have them. */
    @Override
    public @Nullable Object beforeBodyWrite(
            @Nullable Object body,
            MethodParameter returnType,
            MediaType type,
            Class<? extends HttpMessageConverter<?>> converter,
            ServerHttpRequest request,
            ServerHttpResponse response) {
        if (body != null
                || !(response instanceof ServletServerHttpResponse servlet)
                || servlet.getServletResponse().getStatus() < HttpStatus.BAD_REQUEST.value()) {
            return body;
        }
        response.getHeaders().setContentType(MediaType.APPLICATION_PROBLEM_JSON);
        return ProblemDetail.forStatus(servlet.getServletResponse().getStatus());
    }
}
