package io.github.logaggregator.api;

import io.github.logaggregator.model.CloudEventParser;
import io.github.logaggregator.model.EventFault;
import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import io.github.logaggregator.model.PublishRequest;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.stereotype.Component;
import org.springframework.util.StringUtils;

/** The forms in which events may be published: a request's headers tell which one its body has. */
@Component
class PublishForms {
    private static final MediaType CLOUD_EVENT = new MediaType("application", "cloudevents+json");
    private static final MediaType CLOUD_EVENTS = new MediaType("application", "cloudevents-batch+json");
    private static final List<MediaType> SUPPORTED =
            List.of(MediaType.APPLICATION_JSON, MediaType.APPLICATION_NDJSON, CLOUD_EVENT, CLOUD_EVENTS);

    /** What comes before an attribute's name in the headers of a CloudEvent in binary mode. */
    private static final String ATTRIBUTE_PREFIX = "ce-";

    /** Any of these makes it one, so that the others are missed. */
    private static final List<String> REQUIRED_ATTRIBUTES = List.of("ce-specversion", "ce-id", "ce-source", "ce-type");

    private static final String CONTENT_TYPE = "datacontenttype";

    private static final String NOT_UTF_8 = "JSON is in UTF-8, and no other charset is supported.";

    private final ApiProperties properties;
    private final Clock clock;

    PublishForms(ApiProperties properties, Clock clock) {
        this.properties = properties;
        this.clock = clock;
    }

    /** Makes events of a body. */
    @FunctionalInterface
    interface PublishForm {
        /**
         * Reads a body to its end.
         *
         * @throws IOException if it can't be read
         * @throws MalformedJsonException if it is no JSON in UTF-8
         * @throws InvalidEventException if any event breaks a rule
         */
        PublishRequest parse(InputStream body) throws IOException, MalformedJsonException, InvalidEventException;
    }

    /** @throws Refusal if the request has none of the forms (415) */
    PublishForm of(HttpServletRequest request) {
        if (isBinaryCloudEvent(request)) {
            return body -> CloudEventParser.parseBinary(attributes(request), body.readAllBytes(), clock.instant());
        }
        MediaType type = contentType(request);
        PublishForm form = formOf(type);
        if (form == null) {
            throw unsupported(
                    type == null
                            ? "The request has no Content-Type."
                            : "Content-Type '" + request.getContentType() + "' is not supported.");
        }
        if (!isUtf8(type)) {
            throw unsupported(NOT_UTF_8);
        }
        return form;
    }

    /**
     * Reads a body that has a form.
     *
     * @throws IOException if it can't be read
     * @throws Refusal if it is no JSON (400), holds too many events (413), or one that breaks a rule (422)
     */
    PublishRequest read(PublishForm form, InputStream body) throws IOException {
        try {
            PublishRequest request = form.parse(body);
            if (request.events().size() > properties.maxRequestEvents()) {
                throw Refusal.tooLarge("The request holds more than " + properties.maxRequestEvents()
                        + " events (api.max-request-events). Nothing was taken.");
            }
            return request;
        } catch (MalformedJsonException e) {
            throw Refusal.malformed(String.valueOf(e.getMessage()));
        } catch (InvalidEventException e) {
            throw Refusal.invalid(
                    e.faultCount() == 1
                            ? "The request has a fault. Nothing was taken."
                            : "The request has " + e.faultCount() + " faults. Nothing was taken.",
                    e.faults());
        }
    }

    private @Nullable PublishForm formOf(@Nullable MediaType type) {
        if (MediaType.APPLICATION_JSON.equalsTypeAndSubtype(type)) {
            return body -> EventParser.parseRequest(body.readAllBytes());
        }
        if (MediaType.APPLICATION_NDJSON.equalsTypeAndSubtype(type)) {
            return EventParser::parseLines;
        }
        if (CLOUD_EVENT.equalsTypeAndSubtype(type)) {
            return body -> CloudEventParser.parseStructured(body.readAllBytes(), clock.instant());
        }
        if (CLOUD_EVENTS.equalsTypeAndSubtype(type)) {
            return body -> CloudEventParser.parseBatch(body.readAllBytes(), clock.instant());
        }
        return null;
    }

    private static @Nullable MediaType contentType(HttpServletRequest request) {
        String type = request.getContentType();
        try {
            return type == null ? null : MediaType.parseMediaType(type);
        } catch (InvalidMediaTypeException e) {
            throw unsupported("The Content-Type can't be understood.");
        }
    }

    private static Refusal unsupported(String detail) {
        return Refusal.unsupportedType(detail, SUPPORTED);
    }

    private static boolean isUtf8(@Nullable MediaType type) {
        Charset charset = type == null ? null : type.getCharset();
        return charset == null || charset.equals(StandardCharsets.UTF_8) || charset.equals(StandardCharsets.US_ASCII);
    }

    private static boolean isBinaryCloudEvent(HttpServletRequest request) {
        for (String header : REQUIRED_ATTRIBUTES) {
            if (request.getHeader(header) != null) {
                return true;
            }
        }
        return false;
    }

    /** @throws Refusal if a header can't be decoded, or stands there twice (422) */
    private static Map<String, String> attributes(HttpServletRequest request) {
        Map<String, String> attributes = new LinkedHashMap<>();
        List<EventFault> faults = new ArrayList<>();
        for (String header : Collections.list(request.getHeaderNames())) {
            String name = header.toLowerCase(Locale.ROOT);
            if (name.startsWith(ATTRIBUTE_PREFIX)) {
                String attribute = name.substring(ATTRIBUTE_PREFIX.length());
                List<String> values = Collections.list(request.getHeaders(header));
                try {
                    attributes.put(attribute, decode(values.getFirst()));
                    if (values.size() > 1) {
                        faults.add(new EventFault(0, attribute, "stands there twice"));
                    }
                } catch (IllegalArgumentException | CharacterCodingException e) {
                    faults.add(new EventFault(0, attribute, "must be UTF-8, percent-encoded"));
                }
            }
        }
        String type = request.getContentType();
        if (type != null && attributes.put(CONTENT_TYPE, type) != null) {
            faults.add(new EventFault(0, CONTENT_TYPE, "is told by the header Content-Type"));
        }
        if (!faults.isEmpty()) {
            throw Refusal.invalid("The CloudEvent's headers can't be read. Nothing was taken.", faults);
        }
        return attributes;
    }

    /** CloudEvents' HTTP protocol binding, section 3.1.3.2: perhaps quoted, and then percent-encoded. */
    private static String decode(String header) throws CharacterCodingException {
        boolean quoted = header.length() > 1 && header.startsWith("\"") && header.endsWith("\"");
        String encoded = quoted ? header.substring(1, header.length() - 1).replaceAll("\\\\(.)", "$1") : header;
        // The server reads a header's bytes as if they were ISO 8859-1, and what is not encoded may be UTF-8, too.
        byte[] bytes =
                StringUtils.uriDecode(encoded, StandardCharsets.ISO_8859_1).getBytes(StandardCharsets.ISO_8859_1);
        return StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(bytes))
                .toString();
    }
}
