package io.github.logaggregator.api;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;

/** Gives errors that happen outside a controller the shape of all others. */
@RestController
class ProblemErrorController implements ErrorController {
    @RequestMapping("/error")
    ResponseEntity<ProblemDetail> error(HttpServletRequest request) {
        boolean dispatched = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE) instanceof Integer;
        int status = dispatched
                ? (Integer) request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE)
                : HttpStatus.NOT_FOUND.value();
        return ResponseEntity.of(ProblemDetail.forStatus(status)).build();
    }
}
