package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.logaggregator.localstack.LaunchOptions;
import io.github.logaggregator.localstack.ServiceProcess;
import io.github.logaggregator.model.Event;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** There is an index for each path of {@code api.payload-indexes}, whoever starts when, and none that is not wanted. */
@OwnSystem(apis = 0, workers = 1)
class PayloadIndexesIT {
    private static final LaunchOptions WITH_INDEXES =
            LaunchOptions.defaults().withArguments("--api.payload-indexes=customer.id,it's \"odd\" :x");

    private static List<@Nullable String> valid(AggregatorSystem system) {
        return system.jdbc()
                .sql(
                        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'events'::regclass AND indisvalid"
                                + " AND indexrelid::regclass::text LIKE 'events_payload_%' ORDER BY 1")
                .query(String.class)
                .list();
    }

    private static void awaitIndexes(AggregatorSystem system, int count) {
        Awaitility.await().until(() -> valid(system).size() == count);
    }

    private static Event event(String id, String customer) {
        return new Event("t", id, Instant.EPOCH, "test", "{\"customer\":{\"id\":\"" + customer + "\"}}");
    }

    @Test
    void theyComeAndGoWithTheSetting(AggregatorSystem system) throws Exception {
        // Two at once: one builds.
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<ServiceProcess> one = threads.submit(() -> system.startApi(WITH_INDEXES));
            Future<ServiceProcess> other = threads.submit(() -> system.startApi(WITH_INDEXES));
            assertThat(one.get().isAlive() && other.get().isAlive()).isTrue();
        }
        awaitIndexes(system, 2);
        List<@Nullable String> names = valid(system);

        // What no index could hold is stored as ever, and what begins alike is told apart.
        String text = "é😀".repeat(150);
        List<Event> events = List.of(
                event("1", text + "1"),
                event("2", text + "2"),
                event("3", "short"),
                event("4", "short"),
                event("5", ""),
                event("6", text.repeat(100)));
        system.publish(TestEvents.json(events)).then().statusCode(200);
        assertThat(system.awaitSettled().stored()).isEqualTo(6);
        assertThat(ids(system, URLEncoder.encode(text, StandardCharsets.UTF_8) + "2"))
                .containsExactly("2");
        assertThat(ids(system, "short&limit=1")).containsExactlyInAnyOrder("3", "4");
        assertThat(ids(system, "")).containsExactly("5");
        assertThat(ids(system, "none")).isEmpty();
        assertThat(system.allEvents("?payload.customer.id=short&source=nobody")).isEmpty();
        assertThat(system.allEvents("?payload.customer.id=short&topic=t&topic=u"))
                .hasSize(2);

        // One that was never finished is built anew, and one that is not wanted any more goes.
        system.apis().forEach(ServiceProcess::kill);
        String name = system.jdbc()
                .sql("SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'events'::regclass"
                        + " AND pg_get_indexdef(indexrelid) LIKE '%customer%'")
                .query(String.class)
                .single();
        assertThat(names).contains(name);
        system.jdbc()
                .sql("UPDATE pg_index SET indisvalid = false WHERE indexrelid = ?::regclass")
                .param(name)
                .update();
        system.startApi(LaunchOptions.defaults().withArguments("--api.payload-indexes=customer.id"));
        Awaitility.await().until(() -> valid(system).equals(List.of(name)));
    }

    private static List<String> ids(AggregatorSystem system, String query) {
        return system.allEvents("?payload.customer.id=" + query).stream()
                .map(Event::eventId)
                .toList();
    }
}
