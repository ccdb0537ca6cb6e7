package io.github.logaggregator.benchmarks;

import java.nio.file.Path;
import java.util.List;

/** Runs all cases and reports them; started in the project's folder. */
final class BenchmarkMain {
    private BenchmarkMain() {}

    public static void main(String[] arguments) {
        Path root = Path.of("").toAbsolutePath();
        BenchmarkOptions options = BenchmarkOptions.of(System.getProperties());
        System.out.println(options);
        Cases measured = new Cases(root, options);
        Runtime.getRuntime().addShutdownHook(new Thread(measured::close, "close"));
        List<Case> cases = measured.run();
        Machine machine = measured.machine();
        new Report(machine, cases).write(root.resolve("benchmarks/target"));
        System.exit(0); // HTTP clients keep threads; what was started ends with this
    }
}
