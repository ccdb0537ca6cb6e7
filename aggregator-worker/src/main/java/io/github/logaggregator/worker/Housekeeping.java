package io.github.logaggregator.worker;

import java.time.Duration;
import java.time.OffsetDateTime;
import org.springframework.scheduling.annotation.SchedulingConfigurer;
import org.springframework.scheduling.config.ScheduledTaskRegistrar;
import org.springframework.stereotype.Component;

/** What a worker does beside its loops, and how often. Every worker does all of it; each task bears that others do, too. */
@Component
class Housekeeping implements SchedulingConfigurer {
    private static final Duration HEARTBEAT = Duration.ofSeconds(3);
    private static final Duration TIDY_UP = Duration.ofSeconds(1);
    private static final Duration REPLAY = Duration.ofSeconds(1);
    private static final Duration PRUNE_CLAIM_OUTCOMES = Duration.ofSeconds(10);
    private static final Duration TELL = Duration.ofSeconds(10);
    private static final Duration EXPIRE = Duration.ofSeconds(2);

    private final EventQueueReader queue;
    private final WorkerLoops loops;
    private final EventStoreWriter store;
    private final EventStoreReplay replay;
    private final EventStoreRetention retention;

    Housekeeping(
            EventQueueReader queue,
            WorkerLoops loops,
            EventStoreWriter store,
            EventStoreReplay replay,
            EventStoreRetention retention) {
        this.queue = queue;
        this.loops = loops;
        this.store = store;
        this.replay = replay;
        this.retention = retention;
    }

    @Override
    public void configureTasks(ScheduledTaskRegistrar tasks) {
        tasks.addFixedDelayTask(queue::heartbeat, HEARTBEAT);
        tasks.addFixedDelayTask(loops::renewLeases, loops.renewInterval());
        tasks.addFixedDelayTask(this::tidyUp, TIDY_UP);
        tasks.addFixedDelayTask(replay::replayRequested, REPLAY);
        tasks.addFixedDelayTask(store::pruneClaimOutcomes, PRUNE_CLAIM_OUTCOMES);
        tasks.addFixedDelayTask(store::tellWhatWasSettled, TELL);
        tasks.addFixedDelayTask(this::prune, store.pruneInterval());
        if (retention.isOn()) {
            tasks.addFixedDelayTask(this::expire, EXPIRE);
        }
    }

    /** What settlements leave behind so that none of them waits for another one. */
    private void tidyUp() {
        store.foldTotals();
        store.pruneConflicts();
    }

    private void expire() {
        try {
            retention.expire();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void prune() {
        if (retention.isOn()) {
            retention.dropStrayConflicts();
        }
        // The time first: what is settled later may be missing among the open claims, and must not be taken for
        // acknowledged.
        OffsetDateTime now = store.now();
        store.pruneSettledClaims(now, queue.openClaims());
    }
}
