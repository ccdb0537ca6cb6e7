package io.github.logaggregator.tests;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.trace.v1.ResourceSpans;
import io.opentelemetry.proto.trace.v1.Span;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/** Takes spans by OTLP over HTTP, and keeps them. */
final class SpanReceiver implements AutoCloseable {
    private static final HexFormat HEX = HexFormat.of();

    private final HttpServer server;
    private final List<Received> spans = new CopyOnWriteArrayList<>();
    private final AtomicInteger requests = new AtomicInteger();

    /** @param port where to listen; 0 for a free one */
    SpanReceiver(int port) {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/", this::take);
        server.start();
    }

    /** A span, and the service that it is of. */
    record Received(String service, Span span) {
        String traceId() {
            return HEX.formatHex(span.getTraceId().toByteArray());
        }

        String spanId() {
            return HEX.formatHex(span.getSpanId().toByteArray());
        }

        /** Empty of a trace's first one. */
        String parentId() {
            return HEX.formatHex(span.getParentSpanId().toByteArray());
        }

        boolean isLinkedTo(Received other) {
            return span.getLinksList().stream()
                    .anyMatch(link -> link.getTraceId().equals(other.span.getTraceId())
                            && link.getSpanId().equals(other.span.getSpanId()));
        }

        long number(String attribute) {
            return (long) Objects.requireNonNull(attributes().get(attribute));
        }

        /** The attributes whose values are texts or whole numbers. */
        Map<String, Object> attributes() {
            return span.getAttributesList().stream()
                    .collect(Collectors.toMap(
                            attribute -> attribute.getKey(),
                            attribute -> attribute.getValue().hasIntValue()
                                    ? (Object) attribute.getValue().getIntValue()
                                    : attribute.getValue().getStringValue()));
        }
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange) {
            requests.incrementAndGet();
            ExportTraceServiceRequest request = ExportTraceServiceRequest.parseFrom(exchange.getRequestBody());
            for (ResourceSpans resource : request.getResourceSpansList()) {
                String service = resource.getResource().getAttributesList().stream()
                        .filter(attribute -> attribute.getKey().equals("service.name"))
                        .map(attribute -> attribute.getValue().getStringValue())
                        .findFirst()
                        .orElseThrow();
                resource.getScopeSpansList().stream()
                        .flatMap(scope -> scope.getSpansList().stream())
                        .forEach(span -> spans.add(new Received(service, span)));
            }
            exchange.getResponseHeaders().set("Content-Type", "application/x-protobuf");
            exchange.sendResponseHeaders(200, -1);
        }
    }

    int port() {
        return server.getAddress().getPort();
    }

    int requests() {
        return requests.get();
    }

    /** All that have come. */
    List<Received> spans() {
        return List.copyOf(spans);
    }

    /** Waits until there are so many of a kind. */
    List<Received> await(int count, Predicate<Received> kind) {
        return Awaitility.await().until(() -> spans.stream().filter(kind).toList(), found -> found.size() >= count);
    }

    /** What has a service send its spans here, soon, all of them. */
    String[] options() {
        return new String[] {
            "--management.opentelemetry.enabled=true",
            "--management.opentelemetry.tracing.export.otlp.endpoint=http://127.0.0.1:" + port() + "/v1/traces",
            "--management.opentelemetry.tracing.export.schedule-delay=100ms",
            "--management.tracing.sampling.probability=1"
        };
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
