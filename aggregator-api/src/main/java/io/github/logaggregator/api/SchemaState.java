package io.github.logaggregator.api;

import org.springframework.stereotype.Component;

/** Whether the schema is up to date: the API starts before PostgreSQL does, and asks it nothing by itself before that. */
@Component
final class SchemaState {
    private volatile boolean upToDate;

    void setUpToDate() {
        upToDate = true;
    }

    boolean isUpToDate() {
        return upToDate;
    }
}
