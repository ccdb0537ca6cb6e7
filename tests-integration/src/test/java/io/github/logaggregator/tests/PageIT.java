package io.github.logaggregator.tests;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static com.microsoft.playwright.assertions.PlaywrightAssertions.setDefaultAssertionTimeout;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import io.github.logaggregator.model.Event;
import io.github.logaggregator.model.QueueKeys;
import io.github.logaggregator.model.QueuedEvent;
import io.github.logaggregator.model.Stats;
import io.github.logaggregator.model.Stats.Books;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The page at {@code /}, in a real browser: it shows what {@code /stats} has, bears whatever an event holds, and comes back by
 * itself. With {@code -Dpage.screenshots=true} it renews those of the documentation, for which it is run alone.
 */
@OwnSystem
@TestMethodOrder(OrderAnnotation.class)
class PageIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static @Nullable Browser installed;
    private static AggregatorSystem system;

    private final Browser browser = Optional.ofNullable(installed).orElseThrow();
    private final String topic = AggregatorSystem.newTopic();

    @BeforeAll
    static void startBrowser(AggregatorSystem own) {
        installed = Browser.installed().orElse(null);
        assumeTrue(installed != null, "There is no chromium on the PATH: the page is not tested.");
        setDefaultAssertionTimeout((double) PATIENCE.toMillis());
        system = own;
    }

    @AfterAll
    static void closeBrowser() {
        if (installed != null) {
            installed.close();
        }
    }

    @BeforeEach
    void settle() {
        system.awaitSettled();
    }

    @AfterEach
    void nothingWentWrong() {
        browser.closePage();
        assertThat(browser.takeFaults()).isEmpty();
    }

    private Page open() {
        Page page = browser.open(system.api() + "/", ColorScheme.LIGHT, 1400);
        assertThat(page.locator("#connection")).hasText("Live");
        return page;
    }

    private static String account(Page page, String name) {
        return page.locator("[data-account=" + name + "] dd").first().textContent();
    }

    private static String text(long count) {
        return "%,d".formatted(count);
    }

    private static Locator button(Page page, String name) {
        return page.getByRole(
                AriaRole.BUTTON, new Page.GetByRoleOptions().setName(name).setExact(true));
    }

    private static Locator events(Page page) {
        return page.locator("#tail .event");
    }

    private static void awaitBooks(Page page) {
        Awaitility.await().atMost(PATIENCE).untilAsserted(() -> {
            Books books = system.stats().books();
            assertThat(List.of(
                            account(page, "received"),
                            account(page, "stored"),
                            account(page, "duplicates"),
                            account(page, "dead_lettered"),
                            account(page, "queued"),
                            account(page, "in_flight"),
                            account(page, "unaccounted")))
                    .containsExactly(
                            text(books.received()),
                            text(books.stored()),
                            text(books.duplicates()),
                            text(books.deadLettered()),
                            text(books.queued()),
                            text(books.inFlight()),
                            text(books.unaccounted()));
        });
    }

    /** First, so that nothing else is on the pictures. */
    @Test
    @Order(1)
    void showsARunArrivingLiveAndTheBooksBalance() throws IOException {
        Page page = open();
        boolean screenshots = Boolean.getBoolean("page.screenshots");
        String shown = screenshots ? "orders" : topic;
        PublisherRun run = system.runPublisher(
                "--publisher.count=1000",
                "--publisher.rate=" + (screenshots ? 10 : 1000),
                "--publisher.topics=" + (screenshots ? "orders,payments,shipments,sign-ins" : topic));
        assertThat(run.status()).as(run.output()).isZero();
        awaitBooks(page);
        assertThat(page.locator("#verdict")).hasText("Balanced: every event is accounted for.");
        assertThat(page.locator("#books")).hasAttribute("data-verdict", "good");
        Stats stats = system.stats();
        assertThat(row(page, shown).locator("td").first())
                .hasText(text(Objects.requireNonNull(stats.topics().get(shown))));
        assertThat(row(page, shown).locator("td").nth(2)).hasText(Pattern.compile("[1-9][0-9.]* %.*"));
        assertThat(page.locator("#workers tr")).hasCount((int) stats.workers());
        assertThat(page.locator("#workers-note")).hasText(stats.workers() + " alive");
        assertThat(page.locator("#workers td.num").first()).hasText("0");
        assertThat(page.locator("#chart-rates .plot"))
                .hasAttribute("aria-label", Pattern.compile(".*now received [0-9].*"));
        assertThat(page.locator("#chart-queue b")).hasText("0");
        assertThat(page.locator("#chart-age b")).hasText("0 s");
        assertThat(page.locator(".chart canvas")).hasCount(4);
        // A page that is opened later has the last minutes at once.
        Page later = browser.open(system.api() + "/", ColorScheme.LIGHT, 1400);
        assertThat(events(later)).hasCount(20);
        if (screenshots) {
            takeScreenshots();
        }
    }

    private static Locator row(Page page, String topic) {
        return page.locator("#topics tr")
                .filter(new Locator.FilterOptions()
                        .setHas(page.getByRole(
                                AriaRole.BUTTON,
                                new Page.GetByRoleOptions().setName(topic).setExact(true))));
    }

    private void takeScreenshots() throws IOException {
        Path folder = Files.createDirectories(AggregatorSystem.ROOT.resolve("docs/screenshots"));
        for (ColorScheme scheme : List.of(ColorScheme.LIGHT, ColorScheme.DARK)) {
            Page page = browser.open(system.api() + "/", scheme, 1280);
            assertThat(events(page)).hasCount(20);
            page.screenshot(new Page.ScreenshotOptions()
                    .setPath(folder.resolve("page-" + scheme.name().toLowerCase(Locale.ROOT) + ".png")));
            page.setViewportSize(360, 740);
            page.screenshot(new Page.ScreenshotOptions()
                    .setPath(folder.resolve("page-" + scheme.name().toLowerCase(Locale.ROOT) + "-narrow.png")));
        }
    }

    @Test
    @Order(2)
    void showsTheEventsOfATopicStopsOnRequestAndOpensOneWhole() {
        Page page = open();
        page.locator("#tail-topic").fill(topic);
        button(page, "Filter").click();
        assertThat(page.locator("#tail-note")).hasText("None of this topic yet.");
        Event event =
                new Event(topic, "one", Instant.EPOCH, "test", "{\"digits\":12345678901234567890.10,\"list\":[1,{}]}");
        system.publish(TestEvents.json(event));
        system.publish(TestEvents.json(TestEvents.event(AggregatorSystem.newTopic(), "of another topic")));
        assertThat(events(page)).hasCount(1);
        assertThat(events(page).locator(".id")).hasText("one");

        button(page, "Pause").click();
        system.publish(TestEvents.json(TestEvents.event(topic, "two")));
        assertThat(page.locator("#tail-note")).hasText("Held: 1 event more since.");
        assertThat(events(page)).hasCount(1);
        button(page, "Go on").click();
        assertThat(events(page)).hasCount(2);
        assertThat(events(page).first().locator(".id")).hasText("two");

        events(page).last().click();
        assertThat(page.locator("#detail-text")).containsText("12345678901234567890.10");
        String whole = page.locator("#detail-text").textContent();
        assertThat(TestEvents.tree(whole))
                .isEqualTo(TestEvents.tree(
                        system.http().get("/events/{topic}/{id}", topic, "one").asString()));
        page.keyboard().press("Escape");
        assertThat(page.locator("#detail")).isHidden();
    }

    @Test
    @Order(2)
    void publishesAnEventThatArrivesAndTheSameAgainIsADuplicate() {
        Page page = open();
        Books before = system.stats().books();
        page.locator("#p-topic").fill(topic);
        page.locator("#p-id").fill("by hand");
        page.locator("#p-payload").fill("{\"amount\": 12345678901234567890.10}");
        button(page, "Publish").click();
        assertThat(page.locator("#outcomes li").first()).containsText("Stored.");
        assertThat(events(page)
                        .filter(new Locator.FilterOptions().setHasText(topic))
                        .locator(".id"))
                .hasText("by hand");
        assertThat(system.eventsOf(topic).getFirst().payload()).contains("12345678901234567890.10");

        button(page, "Publish it again").click();
        assertThat(page.locator("#outcomes li").first()).containsText("A duplicate");
        awaitBooks(page);
        assertThat(AggregatorSystem.change(before, system.stats().books()))
                .isEqualTo(new Books(2, 1, 0, 1, 0, 0, 0, 0, 0));

        page.locator("#p-source").fill("");
        button(page, "Publish").click();
        assertThat(page.locator("#outcomes li").first()).containsText("source must");
        page.locator("#p-payload").fill("{");
        button(page, "Publish").click();
        assertThat(page.locator("#outcomes li").first()).containsText("The payload is no JSON");
        // The refusal was one on the console, too.
        assertThat(browser.takeFaults()).hasSize(1).first().asString().contains("422");
    }

    @Test
    @Order(2)
    void showsWhatAnEventHoldsAsTextWhateverItIs() {
        String hostile = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\u202e&lt;b>";
        List<Event> events = List.of(
                new Event(
                        topic + hostile, hostile, Instant.EPOCH, hostile, "{\"" + hostile + "\":\"" + hostile + "\"}"),
                new Event(topic + "x".repeat(200), "y".repeat(255), Instant.EPOCH, "z".repeat(255), "{}"),
                new Event(topic + "..", "..", Instant.EPOCH, "..", "{\"text\":\"" + "w".repeat(20_000) + "\"}"));
        Page page = open();
        system.publish(TestEvents.json(events));
        Locator shown = events(page).filter(new Locator.FilterOptions().setHasText(topic));
        assertThat(shown).hasCount(3);
        Locator first = shown.filter(new Locator.FilterOptions().setHasText("onerror"));
        assertThat(first.locator(".topic").textContent()).isEqualTo(topic + hostile);
        assertThat(first.locator(".id").textContent()).isEqualTo(hostile);
        assertThat(first.locator(".source").textContent()).isEqualTo(hostile);
        assertThat(row(page, topic + hostile)).hasCount(1);
        first.click();
        // What turns text around is told, not done.
        assertThat(page.locator("#detail-text")).containsText(hostile.replace("\u202e", "\\u202e"));
        button(page, "Close").click();
        shown.filter(new Locator.FilterOptions().setHasText("www")).click();
        assertThat(page.locator("#detail-text")).containsText("w".repeat(20_000));
        button(page, "Close").click();
        assertThat(page.locator("main img, main script, dialog img, dialog script"))
                .hasCount(0);
        for (int width : List.of(360, 900)) {
            page.setViewportSize(width, 900);
            assertThat(page.evaluate("document.documentElement.scrollWidth")).isEqualTo(width);
        }
    }

    @Test
    @Order(2)
    void showsADeadLetterWithItsReasonAndReplaysIt() {
        Page page = open();
        assertThat(page.locator("#dead-note")).hasText("None.");
        QueueKeys keys = QueueKeys.FIRST;
        system.redis().lpush(keys.queue(), "<b>garbage</b>");
        system.redis().hincrby(keys.counters(), "received", 1);
        assertThat(page.locator("#dead li .reason")).hasText("not an entry of a known version");
        assertThat(account(page, "dead_lettered")).isEqualTo("1");
        page.locator("#dead button").first().click();
        assertThat(page.locator("#detail-text")).hasText("<b>garbage</b>");
        button(page, "Close").click();
        system.jdbc()
                .sql("UPDATE dead_letters SET entry = ?")
                .param(QueuedEvent.encode(Instant.now(), null, TestEvents.json(TestEvents.event(topic, "mended"))))
                .update();
        page.locator("#dead .replay").click();
        assertThat(page.locator("#dead li")).hasCount(0);
        assertThat(page.locator("#dead-note")).hasText("None.");
        assertThat(system.eventsOf(topic)).hasSize(1);
        awaitBooks(page);
    }

    @Test
    @Order(2)
    void isUsedByTheKeyboardAlone() {
        system.publish(TestEvents.json(TestEvents.event(topic, "one")));
        Page page = open();
        assertThat(events(page).first()).isVisible();
        page.keyboard().press("Tab");
        assertThat(page.locator(".skip")).isFocused();
        page.keyboard().press("Enter");
        tabTo(page, "#tail-topic");
        page.keyboard().type(topic);
        page.keyboard().press("Enter");
        assertThat(events(page)).hasCount(1);
        tabTo(page, "#tail .event");
        page.keyboard().press("Enter");
        assertThat(page.locator("#detail-text")).containsText(topic);
        page.keyboard().press("Escape");
        assertThat(events(page)).isFocused();
        tabTo(page, "#publish button.primary");
        page.keyboard().press("Space");
        assertThat(page.locator("#outcomes li").first()).containsText("Stored.");
    }

    private static void tabTo(Page page, String selector) {
        for (int i = 0; i < 60; i++) {
            page.keyboard().press("Tab");
            if (Boolean.TRUE.equals(page.evaluate("s => document.activeElement.matches(s)", selector))) {
                return;
            }
        }
        throw new AssertionError("The keyboard does not get to " + selector);
    }

    @Test
    @Order(3)
    void tellsThatTheServerIsAwayAndComesBackByItself() {
        Page page = open();
        system.apis().getFirst().stop();
        assertThat(page.locator("#connection")).hasText("Away");
        assertThat(page.locator("#notice")).isVisible();
        system.apis().getFirst().start();
        system.apis().getFirst().awaitReady();
        assertThat(page.locator("#connection")).hasText("Live");
        assertThat(page.locator("#notice")).isHidden();
        system.publish(TestEvents.json(TestEvents.event(topic, "since")));
        assertThat(events(page).filter(new Locator.FilterOptions().setHasText(topic)))
                .hasCount(1);
        awaitBooks(page);
        assertThat(browser.takeFaults()).allMatch(fault -> fault.contains("net::ERR"));
    }

    @Test
    @Order(4)
    void showsTheLargestOfManyTopics() {
        Page page = open();
        List<Event> events = new ArrayList<>();
        IntStream.range(0, 500).forEach(i -> events.add(TestEvents.event(topic + i, "1")));
        IntStream.range(0, 3_000).forEach(i -> events.add(TestEvents.event(topic, Integer.toString(i))));
        system.publish(TestEvents.json(events));
        assertThat(row(page, topic).locator("td").first()).hasText("3,000");
        assertThat(page.locator("#topics tr")).hasCount(50);
        int all = system.stats().topics().size();
        assertThat(page.locator("#topics-others th")).hasText(text(all - 50) + " others");
        // Of so many only some are shown, and the page says so.
        assertThat(page.locator("#tail-note")).containsText("passed over");
        row(page, topic).getByRole(AriaRole.BUTTON).click();
        assertThat(page.locator("#tail-topic")).hasValue(topic);
        assertThat(events(page)).hasCount(20);
    }

    @Test
    @Order(5)
    @OwnSystem
    void asksForAKeyAndKeepsItToItself(AggregatorSystem own) {
        String key = new Keys(own).create("page", "publish,read,admin", "*");
        Awaitility.await().atMost(PATIENCE).until(() -> own.http().get("/stats").statusCode() == 401);
        Page page = browser.open(own.api() + "/", ColorScheme.LIGHT, 1400);
        assertThat(page.locator("#key-dialog")).isVisible();
        assertThat(new AxeBuilder(page).include("#key-dialog").analyze().getViolations())
                .isEmpty();
        button(page, "Not now").click();
        assertThat(page.locator("#connection")).hasText("Away");
        assertThat(page.locator("#notice")).containsText("This needs a key");

        List<String> urls = new ArrayList<>();
        page.onRequest(request -> urls.add(request.url()));
        button(page, "Key").click();
        page.locator("#key").fill("agg_wrong");
        button(page, "Use it").click();
        assertThat(page.locator("#key-why")).containsText("The key is not valid");
        page.locator("#key").fill(key);
        page.keyboard().press("Enter");
        assertThat(page.locator("#connection")).hasText("Live");
        assertThat(page.locator("#key-dialog")).isHidden();
        page.locator("#p-topic").fill(topic);
        button(page, "Publish").click();
        assertThat(page.locator("#outcomes li").first()).containsText("Stored.");
        events(page).first().click();
        assertThat(page.locator("#detail-text")).containsText(topic);
        button(page, "Close").click();

        assertThat((String) page.evaluate("document.documentElement.outerHTML + document.getElementById('key').value"
                        // By their places: an entry that is named key, as a method is, is no property.
                        + " + [localStorage, sessionStorage].flatMap(storage =>"
                        + " Array.from(storage, (entry, i) => storage.getItem(storage.key(i)))).join()"
                        + " + document.cookie + location.href"))
                .doesNotContain("agg_");
        assertThat(urls).isNotEmpty().noneMatch(url -> url.contains("agg_"));
        assertThat(own.apis().getFirst().log()).doesNotContain("agg_");
        page.reload();
        assertThat(page.locator("#key-dialog")).isVisible();
        page.navigate(own.api() + "/docs");
        assertThat(page.locator(".btn.authorize").first()).isVisible();
        assertThat(browser.takeFaults()).isNotEmpty().allMatch(fault -> fault.contains("401"));
    }

    @ParameterizedTest
    @EnumSource(
            value = ColorScheme.class,
            names = {"LIGHT", "DARK"})
    @Order(2)
    void isAccessible(ColorScheme scheme) {
        Page page = browser.open(system.api() + "/", scheme, 1400);
        assertThat(page.locator("#connection")).hasText("Live");
        page.locator("#p-topic").fill(topic);
        button(page, "Publish").click();
        assertThat(page.locator("#outcomes li")).hasCount(1);
        assertThat(events(page).filter(new Locator.FilterOptions().setHasText(topic)))
                .hasCount(1);
        assertThat(new AxeBuilder(page).analyze().getViolations()).isEmpty();
        // A placeholder is a name to axe, and is gone when something has been typed.
        assertThat((List<?>) page.evaluate("[...document.querySelectorAll('input, select, textarea')]"
                        + ".filter(control => control.labels.length === 0).map(control => control.id)"))
                .isEmpty();
        page.setViewportSize(360, 740);
        events(page).first().click();
        assertThat(page.locator("#detail-text")).containsText("event_id");
        assertThat(new AxeBuilder(page).include("#detail").analyze().getViolations())
                .isEmpty();
    }

    @Test
    @Order(2)
    void theSwaggerUiWorksUnderItsPolicy() {
        Page page = browser.open(system.api() + "/docs", ColorScheme.LIGHT, 1400);
        assertThat(page.locator(".opblock").first()).isVisible();
    }
}
