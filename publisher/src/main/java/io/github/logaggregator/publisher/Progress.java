package io.github.logaggregator.publisher;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows how far the run is: a bar on a terminal, elsewhere a line for each tenth, and one at least every 5 seconds. */
final class Progress implements AutoCloseable {
    private static final long TICK_MILLIS = 100;
    private static final Duration SILENCE = Duration.ofSeconds(5);
    private static final int STEPS = 10;

    private final Tally tally;
    private final long total;
    private final PrintStream out;
    private final @Nullable ProgressBar bar;
    private final ScheduledExecutorService ticker =
            Executors.newSingleThreadScheduledExecutor(Thread.ofVirtual().factory());
    private long shown;
    private long shownAt = System.nanoTime();

    /** @param total how many events will be sent; -1 when that is not known */
    Progress(Tally tally, long total, PrintStream out) {
        this.tally = tally;
        this.total = total;
        this.out = out;
        this.bar = !isOnTerminal()
                ? null
                : new ProgressBarBuilder()
                        .setTaskName("Sending")
                        .setInitialMax(total)
                        .setStyle(ProgressBarStyle.ASCII)
                        .setUpdateIntervalMillis((int) TICK_MILLIS)
                        .showSpeed()
                        .build();
    }

    /** JDK 22 to 24 have a console without a terminal, too, unless told to take the one of the other versions. */
    @SuppressWarnings("SystemConsoleNull")
    private static boolean isOnTerminal() {
        System.setProperty("jdk.console", "java.base");
        return System.console() != null;
    }

    void start() {
        var unused = ticker.scheduleAtFixedRate(this::show, TICK_MILLIS, TICK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void show() {
        long accepted = tally.accepted();
        if (bar != null) {
            bar.stepTo(accepted);
            return;
        }
        long now = System.nanoTime();
        boolean isNextStep = total > 0 && accepted * STEPS / total > shown * STEPS / total;
        if (isNextStep || now - shownAt >= SILENCE.toNanos()) {
            out.println(line(accepted));
            shown = accepted;
            shownAt = now;
        }
    }

    private String line(long accepted) {
        String line = total > 0
                ? String.format(
                        Locale.ROOT, "  %,d of %,d events sent (%d %%)", accepted, total, accepted * 100 / total)
                : String.format(Locale.ROOT, "  %,d events sent", accepted);
        return tally.retries() == 0
                ? line
                : String.format(
                        Locale.ROOT, "%s; retries: %,d, the last for: %s", line, tally.retries(), tally.lastFault());
    }

    /** Shows the last state. */
    @Override
    public void close() {
        ticker.close();
        show();
        if (bar != null) {
            bar.close();
        }
    }
}
