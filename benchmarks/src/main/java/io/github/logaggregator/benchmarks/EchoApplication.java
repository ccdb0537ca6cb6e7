package io.github.logaggregator.benchmarks;

import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.MalformedJsonException;
import io.github.logaggregator.model.PublishRequest;
import io.github.logaggregator.model.PublishResponse;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

/** What taking events in costs without keeping them: reads a request with the API's own parser, and answers as it does. */
@RestController
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
class EchoApplication {
    public static void main(String[] arguments) {
        SpringApplication.run(EchoApplication.class, arguments);
    }

    @PostMapping(
            path = "/publish",
            consumes = MediaType.APPLICATION_JSON_VALUE,
            produces = MediaType.APPLICATION_JSON_VALUE)
    PublishResponse publish(HttpServletRequest request) throws IOException {
        try {
            PublishRequest events =
                    EventParser.parseRequest(request.getInputStream().readAllBytes());
            return PublishResponse.queued(events);
        } catch (MalformedJsonException | InvalidEventException e) {
            throw new ResponseStatusException(HttpStatus.BAD_REQUEST, e.getMessage(), e);
        }
    }

    @GetMapping("/ready")
    String ready() {
        return "ready";
    }
}
