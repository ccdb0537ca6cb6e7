package io.github.logaggregator.tests;

import com.microsoft.playwright.Browser.NewContextOptions;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType.LaunchOptions;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** This machine's own Chromium, without a window, and what goes wrong on its pages. For one thread. */
final class Browser implements AutoCloseable {
    private static final List<String> ARGUMENTS = List.of(
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync");

    private final Playwright playwright;
    private final com.microsoft.playwright.Browser browser;
    private final List<String> faults = new ArrayList<>();
    private @Nullable BrowserContext context;

    private Browser(Path chromium) {
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright
                .chromium()
                .launch(new LaunchOptions().setExecutablePath(chromium).setArgs(ARGUMENTS));
    }

    /** Empty where there is no {@code chromium} on the PATH. */
    static Optional<Browser> installed() {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .map(folder -> Path.of(folder, "chromium"))
                .filter(Files::isExecutable)
                .findFirst()
                .map(Browser::new);
    }

    /** A new page, beside nothing that is left of the one before. */
    Page open(String url, ColorScheme scheme, int width) {
        closePage();
        context = browser.newContext(
                new NewContextOptions().setColorScheme(scheme).setViewportSize(width, 900));
        // What the Content-Security-Policy forbids is an error on the console, too.
        context.onConsoleMessage(message -> {
            if (message.type().equals("error")) {
                faults.add(message.text());
            }
        });
        context.onWebError(error -> faults.add(error.error()));
        context.onDialog(dialog -> {
            faults.add("a dialog: " + dialog.message());
            dialog.dismiss();
        });
        Page page = context.newPage();
        page.navigate(url);
        return page;
    }

    /** What went wrong on the pages since this was asked last: errors on the console, dialogs. */
    List<String> takeFaults() {
        List<String> taken = List.copyOf(faults);
        faults.clear();
        return taken;
    }

    void closePage() {
        if (context != null) {
            context.close();
            context = null;
        }
    }

    @Override
    public void close() {
        closePage();
        browser.close();
        playwright.close();
    }
}
