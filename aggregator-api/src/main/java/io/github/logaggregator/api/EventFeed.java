package io.github.logaggregator.api;

import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.api.EventStoreArrivals.Arrival;
import io.github.logaggregator.api.EventStoreArrivals.Arrivals;
import io.github.logaggregator.api.Subscriber.Message;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Hands every new event to the subscribers that want it, in the order of arrival. One thread reads for all of them, as soon
 * as a worker has settled something; while nobody subscribes, nothing is read.
 */
@Component
class EventFeed implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(EventFeed.class);

    /** How often to look although nobody told that something was settled: not all that is told is heard. */
    private static final long LOOK_MILLIS = 1_000;

    /** How long to wait for a transaction that holds up what is stored already: at first, and at most. */
    private static final long FIRST_PAUSE_MILLIS = 5;

    private static final long LONGEST_PAUSE_MILLIS = 100;

    /** How much the feed reads at once... */
    private static final long MAX_CHARACTERS = 4_000_000;

    /** ...and a subscriber, who keeps it for as long as it takes to write it. */
    private static final long MAX_CHARACTERS_OF_ONE = 100_000;

    /** Subscribers that read from PostgreSQL at one moment; the others wait, and leave connections to other requests. */
    private static final int READING_AT_ONCE = 2;

    /** How long one waits for that: all may come at once when a process has started again. */
    private static final long PATIENCE_MILLIS = 10_000;

    private final EventStoreArrivals store;
    private final EventQueueSettlements settlements;
    private final ApiProperties properties;
    private final Semaphore places;
    private final Semaphore reading = new Semaphore(READING_AT_ONCE, true);
    private final Semaphore settled = new Semaphore(0);
    private final Thread thread = Thread.ofPlatform().name("feed").unstarted(this::feed);
    private volatile boolean stopping;

    // Guarded by this.
    private final Set<Subscriber> subscribers = new HashSet<>();
    private final Set<Subscriber> ofAllTopics = new HashSet<>();
    private final Map<String, Set<Subscriber>> ofTopic = new HashMap<>();

    /** Up to here everything was handed out; null while nobody is there to get it. */
    private @Nullable Place place;

    EventFeed(
            EventStoreArrivals store,
            EventQueueSettlements settlements,
            ApiProperties properties,
            MeterRegistry metrics) {
        this.store = store;
        this.settlements = settlements;
        this.properties = properties;
        int max = properties.subscribers().max();
        this.places = new Semaphore(max);
        metrics.gauge("aggregator.subscribers", places, free -> max - free.availablePermits());
    }

    /** Thrown to subscribers when the process is about to end. */
    static final class EndedException extends Exception {
        private static final long serialVersionUID = 1;
    }

    /**
     * Begins a subscription; to be closed.
     *
     * @param topics only events of these; empty for all
     * @param after where to go on; null to begin with what arrives from now on
     * @throws Refusal if there are too many subscribers, or PostgreSQL did not answer (503), or has not reached that place
     *     (422)
     */
    Subscriber subscribe(Set<String> topics, @Nullable Place after) throws InterruptedException, EndedException {
        if (!places.tryAcquire()) {
            throw Refusal.unavailable(
                    "There are " + properties.subscribers().max() + " subscribers already (api.subscribers.max).",
                    properties.retryAfter());
        }
        try {
            if (after == null) {
                return Subscriber.toWhatIsNew(this, topics);
            }
            return new Subscriber(this, topics, ask(() -> reached(after)));
        } catch (RuntimeException | InterruptedException | EndedException e) {
            places.release();
            throw e;
        }
    }

    private Place reached(Place after) {
        if (!store.isReached(after)) {
            throw Paging.invalid("after", "is no place that this database has reached");
        }
        return after;
    }

    /** Ends a subscription. */
    void unsubscribe(Subscriber subscriber) {
        leave(subscriber);
        places.release();
    }

    /**
     * Reads what a subscriber has not got yet.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Arrivals arrivals(Place after, Set<String> topics) throws InterruptedException, EndedException {
        return ask(() -> store.after(after, topics, MAX_CHARACTERS_OF_ONE));
    }

    private <T> T ask(Supplier<T> question) throws InterruptedException, EndedException {
        if (!reading.tryAcquire(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)) {
            throw Refusal.unavailable("Too many subscribers come at once.", properties.retryAfter());
        }
        try {
            if (stopping) {
                throw new EndedException();
            }
            return question.get();
        } finally {
            reading.release();
        }
    }

    /**
     * Hands a subscriber all that is new from now on.
     *
     * @return up to where it must have read from PostgreSQL itself
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    Place join(Subscriber subscriber) throws InterruptedException, EndedException {
        Place newest = null;
        while (true) {
            synchronized (this) {
                if (stopping) {
                    throw new EndedException();
                }
                if (place == null) {
                    place = newest;
                }
                if (place != null) {
                    add(subscriber);
                    return place;
                }
            }
            newest = ask(store::newest); // not while others wait
        }
    }

    private void add(Subscriber subscriber) {
        if (subscriber.topics().isEmpty()) {
            ofAllTopics.add(subscriber);
        }
        for (String topic : subscriber.topics()) {
            ofTopic.computeIfAbsent(topic, name -> new HashSet<>()).add(subscriber);
        }
        if (subscribers.add(subscriber) && subscribers.size() == 1) {
            settled.release();
        }
    }

    synchronized void leave(Subscriber subscriber) {
        ofAllTopics.remove(subscriber);
        for (String topic : subscriber.topics()) {
            ofTopic.computeIfPresent(topic, (name, others) -> {
                others.remove(subscriber);
                return others.isEmpty() ? null : others;
            });
        }
        if (subscribers.remove(subscriber) && subscribers.isEmpty()) {
            place = null;
        }
    }

    @Override
    public void start() {
        thread.start();
    }

    /** Ends every subscription, which comes before the server waits for its requests to end. */
    @Override
    public void stop() {
        stopping = true;
        synchronized (this) {
            subscribers.forEach(Subscriber::end);
        }
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        settlements.close();
    }

    @Override
    public boolean isRunning() {
        return thread.getState() != Thread.State.NEW && !stopping;
    }

    private void feed() {
        try {
            long pause = FIRST_PAUSE_MILLIS;
            while (!stopping) {
                Place from = place();
                if (from == null) {
                    settled.acquire();
                    continue;
                }
                settled.drainPermits();
                Arrivals arrivals = readAndHandOut(from);
                if (arrivals.held()) {
                    Thread.sleep(pause);
                    pause = arrivals.events().isEmpty()
                            ? Math.min(2 * pause, LONGEST_PAUSE_MILLIS)
                            : FIRST_PAUSE_MILLIS;
                } else {
                    pause = FIRST_PAUSE_MILLIS;
                    if (!arrivals.more()) {
                        boolean unused = settled.tryAcquire(LOOK_MILLIS, TimeUnit.MILLISECONDS);
                    }
                }
            }
        } catch (InterruptedException e) {
            // The process ends.
        }
    }

    private Arrivals readAndHandOut(Place from) {
        try {
            Arrivals arrivals = read(from);
            handOut(from, arrivals.events());
            return arrivals;
        } catch (Refusal e) {
            // The outage was told, and what is settled meanwhile is read when it is over.
        } catch (RuntimeException e) {
            LOG.error("The feed of /events/stream can't go on behind {}; it is tried again", from, e);
        }
        return new Arrivals(List.of(), false, false);
    }

    private synchronized @Nullable Place place() {
        return place;
    }

    private Arrivals read(Place from) {
        try {
            settlements.listen(settled::release);
        } catch (RuntimeException e) {
            // Then it is found by looking.
        }
        return store.after(from, Set.of(), MAX_CHARACTERS);
    }

    private synchronized void handOut(Place from, List<Arrival> arrivals) {
        // Others may have come since, after the last one had left.
        if (!from.equals(place)) {
            return;
        }
        for (Arrival arrival : arrivals) {
            List<Subscriber> wanting = new ArrayList<>(ofAllTopics);
            wanting.addAll(ofTopic.getOrDefault(arrival.event().topic(), Set.of()));
            if (!wanting.isEmpty()) {
                Message message = Message.of(arrival);
                wanting.forEach(subscriber -> subscriber.offer(message));
            }
            place = arrival.place();
        }
    }
}
