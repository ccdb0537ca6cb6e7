package io.github.logaggregator.api;

import java.util.concurrent.CountDownLatch;
import org.springframework.stereotype.Component;

/** Whether the schema is up to date: the API starts before PostgreSQL does, and asks it nothing by itself before that. */
@Component
final class SchemaState {
    private final CountDownLatch upToDate = new CountDownLatch(1);

    void setUpToDate() {
        upToDate.countDown();
    }

    boolean isUpToDate() {
        return upToDate.getCount() == 0;
    }

    void awaitUpToDate() throws InterruptedException {
        upToDate.await();
    }
}
