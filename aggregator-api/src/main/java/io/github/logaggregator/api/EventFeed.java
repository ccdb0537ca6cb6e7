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
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Hands every new event to the subscribers that want it, in the order of arrival. One thread reads for all of them, as soon
 * as a worker has settled something; while nobody subscribes, nothing is read.
 */
@Component
class EventFeed implements SmartLifecycle {
    /** How often to look although nobody told that something was settled: not all that is told is heard. */
    private static final long LOOK_MILLIS = 1_000;

    /** How long to wait for a transaction that holds up what is stored already: at first, and at most. */
    private static final long FIRST_PAUSE_MILLIS = 5;

    private static final long LONGEST_PAUSE_MILLIS = 100;

    /** How much the feed reads at once... */
    private static final long MAX_CHARACTERS = 4_000_000;

    /** ...and a subscriber, who keeps it for as long as it takes to write it. */
    private static final long MAX_CHARACTERS_OF_ONE = 250_000;

    /** Subscribers that read from PostgreSQL at one moment; the others wait, and leave connections to other requests. */
    private static final int READING_AT_ONCE = 2;

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
     * @throws Refusal if there are too many subscribers, or PostgreSQL did not answer (503)
     */
    Subscriber subscribe(Set<String> topics, @Nullable Place after) {
        if (!places.tryAcquire()) {
            throw Refusal.unavailable(
                    "There are " + properties.subscribers().max() + " subscribers already (api.subscribers.max).",
                    properties.retryAfter());
        }
        try {
            return new Subscriber(this, topics, after == null ? store.newest() : after);
        } catch (RuntimeException e) {
            places.release();
            throw e;
        }
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
        reading.acquire();
        try {
            if (stopping) {
                throw new EndedException();
            }
            return store.after(after, topics, MAX_CHARACTERS_OF_ONE);
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
    synchronized Place join(Subscriber subscriber) throws EndedException {
        if (stopping) {
            throw new EndedException();
        }
        if (place == null) {
            place = store.newest();
        }
        if (subscriber.topics().isEmpty()) {
            ofAllTopics.add(subscriber);
        }
        for (String topic : subscriber.topics()) {
            ofTopic.computeIfAbsent(topic, name -> new HashSet<>()).add(subscriber);
        }
        if (subscribers.add(subscriber) && subscribers.size() == 1) {
            settled.release();
        }
        return place;
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
        return thread.isAlive();
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
                Arrivals arrivals = read(from);
                handOut(from, arrivals.events());
                if (arrivals.held()) {
                    Thread.sleep(pause);
                    pause = Math.min(2 * pause, LONGEST_PAUSE_MILLIS);
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

    private synchronized @Nullable Place place() {
        return place;
    }

    /** What an outage keeps from being read is read when it is over; it was told. */
    private Arrivals read(Place from) {
        try {
            settlements.listen(settled::release);
        } catch (RuntimeException e) {
            // Then it is found by looking.
        }
        try {
            return store.after(from, Set.of(), MAX_CHARACTERS);
        } catch (RuntimeException e) {
            return new Arrivals(List.of(), false, false);
        }
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
