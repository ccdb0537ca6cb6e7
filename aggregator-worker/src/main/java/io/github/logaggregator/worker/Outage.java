package io.github.logaggregator.worker;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.core.NestedExceptionUtils;

/**
 * That something fails, logged once when it begins, however many try it, and once when it has worked again for all to whom it
 * had failed.
 */
final class Outage {
    private static final Logger LOG = LoggerFactory.getLogger(Outage.class);

    private final String what;
    private int affected;

    /** @param what a store or an action, as the beginning of a log line */
    Outage(String what) {
        this.what = what;
    }

    /** To be called by somebody to whom it has failed, once until {@link #ends}. */
    synchronized void begins(Throwable failure) {
        if (affected++ == 0) {
            LOG.warn(
                    "{} fails; trying again until it works: {}",
                    what,
                    NestedExceptionUtils.getMostSpecificCause(failure).toString());
        }
    }

    /** To be called by the same one when it has worked. */
    synchronized void ends() {
        if (--affected == 0) {
            LOG.info("{} works again", what);
        }
    }
}
