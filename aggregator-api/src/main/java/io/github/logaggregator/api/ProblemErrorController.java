package io.github.logaggregator.api;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Gives errors that happen outside a controller the shape of all others. */
@RestController
class ProblemErrorController implements ErrorController {
    @RequestMapping("/error")
    ResponseEntity<ProblemDetail> error(HttpServletRequest request) {
        // Whoever asks for this path by itself finds nothing.
        boolean dispatched = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer;
        ProblemDetail problem = ProblemDetail.forStatus(
                dispatched
                        ? (Integer) request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE)
                        : HttpStatus.NOT_FOUND.value());
        if (dispatched) {
            problem.setInstance(
                    ProblemAdvice.instance((String) request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI)));
        }
        return ResponseEntity.status(problem.getStatus())
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(problem);
    }
}
