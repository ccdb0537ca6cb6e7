package io.github.logaggregator.worker;

import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/**
 * Gives spans to their receiver. That it does not take them is logged once, and once that it does again; what it did not take
 * is lost, and nothing waits for it.
 */
final class SpanExport implements SpanExporter {
    private static final Logger LOG = LoggerFactory.getLogger(SpanExport.class);

    private final SpanExporter receiver;
    private final AtomicBoolean away = new AtomicBoolean();

    SpanExport(SpanExporter receiver) {
        this.receiver = receiver;
    }

    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
        CompletableResultCode result = receiver.export(spans);
        return result.whenComplete(() -> {
            if (result.isSuccess()) {
                if (away.compareAndSet(true, false)) {
                    LOG.info("The receiver of spans takes them again");
                }
            } else if (away.compareAndSet(false, true)) {
                Throwable failure = result.getFailureThrowable();
                LOG.warn(
                        "The receiver of spans does not take them; they are dropped until it does: {}",
                        failure == null
                                ? "no reason given"
                                : NestedExceptionUtils.getMostSpecificCause(failure)
                                        .toString());
            }
        });
    }

    @Override
    public CompletableResultCode flush() {
        return receiver.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
        return receiver.shutdown();
    }
}
