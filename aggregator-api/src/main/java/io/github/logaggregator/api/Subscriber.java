package io.github.logaggregator.api;

import io.github.logaggregator.api.ArrivalRange.Place;
import io.github.logaggregator.api.EventFeed.EndedException;
import io.github.logaggregator.api.EventStoreArrivals.Arrival;
import io.github.logaggregator.api.EventStoreArrivals.Arrivals;
import io.github.logaggregator.model.EventJson;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Gives one reader every event that arrives after a place, each once, in the order of arrival.
 *
 * <p>As long as it is behind, it reads from PostgreSQL at its own pace. When it has caught up it joins the feed, which hands
 * it the events that are new for everybody. If it takes them more slowly than they come, what it has not taken is dropped,
 * and it is behind again: a slow reader takes no more memory than {@value #MAX_BYTES} bytes.
 *
 * <p>For one thread, but for {@link #offer} and {@link #end}, which are the feed's.
 */
final class Subscriber implements AutoCloseable {
    private static final long MAX_BYTES = 1_000_000;

    /** Given when there will be nothing any more. */
    private static final Message END = new Message(Place.FIRST, new byte[0]);

    private final EventFeed feed;
    private final Set<String> topics;
    private final LinkedBlockingQueue<Message> handed = new LinkedBlockingQueue<>();
    private final AtomicLong handedBytes = new AtomicLong();

    /** Whether an event could not be handed over; nothing is from then on, until the subscriber joins again. */
    private volatile boolean overtaken;

    private Place place;

    /** Whether it has read all that there was when it read last. */
    private boolean caughtUp;

    private boolean joined;

    /** Up to this place the feed had handed out everything when the subscriber joined it. */
    private Place joinedAt = Place.FIRST;

    /** Begins behind a place. */
    Subscriber(EventFeed feed, Set<String> topics, Place place) {
        this.feed = feed;
        this.topics = topics;
        this.place = place;
    }

    /**
     * Begins with what the feed hands out from now on.
     *
     * @throws Refusal if PostgreSQL did not answer (503)
     */
    static Subscriber toWhatIsNew(EventFeed feed, Set<String> topics) throws InterruptedException, EndedException {
        Subscriber subscriber = new Subscriber(feed, topics, Place.FIRST);
        subscriber.join();
        subscriber.place = subscriber.joinedAt;
        return subscriber;
    }

    /** An event on its way to subscribers, who share it. */
    static final class Message {
        private final Place place;
        private final byte[] json;

        private Message(Place place, byte[] json) {
            this.place = place;
            this.json = json;
        }

        static Message of(Arrival arrival) {
            return new Message(arrival.place(), EventJson.write(arrival.event()));
        }

        Place place() {
            return place;
        }

        /** The event as a JSON object in UTF-8, without line breaks. */
        byte[] json() {
            return json;
        }
    }

    Set<String> topics() {
        return topics;
    }

    /** The place of the last event that was given, or where the subscription began. */
    Place place() {
        return place;
    }

    /**
     * Gives the next events; none if there was none for so long.
     *
     * @throws EndedException if there will be no more
     * @throws Refusal if PostgreSQL did not answer (503); to be called again
     */
    List<Message> next(Duration patience) throws InterruptedException, EndedException {
        while (true) {
            if (joined && place.compareTo(joinedAt) >= 0) {
                return handed(patience);
            }
            if (!joined && caughtUp) {
                join();
            }
            Arrivals arrivals = feed.arrivals(place, topics);
            List<Message> messages = arrivals.events().stream().map(Message::of).toList();
            if (!messages.isEmpty()) {
                place = messages.getLast().place();
            }
            if (!arrivals.more()) {
                caughtUp = true;
                if (joined && place.compareTo(joinedAt) < 0) {
                    place = joinedAt; // there was none of its topics up to there
                }
            }
            if (!messages.isEmpty()) {
                return messages;
            }
        }
    }

    private void join() throws InterruptedException, EndedException {
        overtaken = false;
        joinedAt = feed.join(this);
        joined = true;
        caughtUp = false;
    }

    private List<Message> handed(Duration patience) throws InterruptedException, EndedException {
        List<Message> messages = new ArrayList<>();
        Message first = handed.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        if (first != null) {
            messages.add(first);
            handed.drainTo(messages);
        }
        if (messages.contains(END)) {
            throw new EndedException();
        }
        messages.forEach(message -> handedBytes.addAndGet(-message.json().length));
        if (overtaken) {
            // What was handed over before that is whole, and comes first.
            leave();
        }
        messages.removeIf(message -> message.place().compareTo(place) <= 0);
        if (!messages.isEmpty()) {
            place = messages.getLast().place();
        }
        return messages;
    }

    private void leave() {
        feed.leave(this);
        handed.clear();
        handedBytes.set(0);
        joined = false;
        caughtUp = false;
    }

    /** Hands over a new event, unless there is no room for it. */
    void offer(Message message) {
        if (overtaken) {
            return;
        }
        if (handedBytes.addAndGet(message.json().length) > MAX_BYTES && !handed.isEmpty()) {
            overtaken = true;
            return;
        }
        handed.add(message);
    }

    /** Tells that there will be no more. */
    void end() {
        handed.add(END);
    }

    @Override
    public void close() {
        feed.unsubscribe(this);
    }
}
