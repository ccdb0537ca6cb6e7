package io.github.logaggregator.api;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.apache.coyote.ActionCode;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import tools.jackson.databind.json.JsonMapper;

/**
 * Gives what Tomcat refuses before Spring sees it (a malformed request line, for one) the shape of all errors, and breaks off what
 * fails when a part of the answer is sent.
 */
public final class ProblemReportValve extends ErrorReportValve {
    private static final JsonMapper JSON = new JsonMapper();
    private static final String BROKEN_OFF = ProblemReportValve.class.getName() + ".brokenOff";

    /** Lets a request end without the end of its answer, of which a part is sent, so that nobody takes it for whole. */
    static void breakOff(HttpServletRequest request) {
        request.setAttribute(BROKEN_OFF, true);
    }

    @Override
    public void invoke(Request request, Response response) throws IOException, ServletException {
        super.invoke(request, response);
        if (request.getAttribute(BROKEN_OFF) != null) {
            response.getCoyoteResponse().action(ActionCode.CLOSE_NOW, null);
        }
    }

    @Override
    protected void report(Request request, Response response, @Nullable Throwable throwable) {
        HttpStatus status = HttpStatus.resolve(response.getStatus());
        if (status == null || !status.isError() || response.getContentWritten() > 0 || !response.setErrorReported()) {
            return;
        }
        try {
            response.setContentType(MediaType.APPLICATION_PROBLEM_JSON_VALUE);
            response.setCharacterEncoding(StandardCharsets.UTF_8);
            Writer writer = response.getReporter();
            if (writer != null) {
                writer.write(JSON.writeValueAsString(
                        Map.of("type", "about:blank", "title", status.getReasonPhrase(), "status", status.value())));
                response.finishResponse();
            }
        } catch (IOException e) {
            // Whoever asked is gone.
        }
    }
}
