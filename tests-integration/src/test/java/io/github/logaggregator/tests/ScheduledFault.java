package io.github.logaggregator.tests;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A fault that is to come.
 *
 * @param wave its wave's number, from 1: the faults of a wave overlap, the next wave comes when all is well again
 * @param pause from the beginning of the fault before it, or the end of the wave before, to its own beginning
 * @param target the process's name
 * @param outage from its beginning to its end
 */
record ScheduledFault(int wave, Duration pause, Fault fault, String target, Duration outage) {
    private static final int[] PAUSE_MILLIS = {200, 1_200};
    private static final int[] OUTAGE_MILLIS = {500, 5_000};

    /**
     * Draws a schedule from a seed. Each wave befalls one process of each type, in a random order; as many waves as there
     * are kinds of fault bring each kind to each type.
     *
     * @param types the processes of each type, any of which may be the one
     * @param lease what a freeze of a process that is named a worker always outlasts
     */
    static List<ScheduledFault> draw(long seed, int count, List<List<String>> types, Duration lease) {
        Random random = new Random(seed);
        List<ScheduledFault> schedule = new ArrayList<>();
        int wave = 0;
        while (schedule.size() < count) {
            List<List<Fault>> faultsOfTypes = types.stream()
                    .map(type -> shuffled(List.of(Fault.values()), random))
                    .toList();
            for (int i = 0; i < Fault.values().length; i++) {
                wave++;
                for (int type :
                        shuffled(IntStream.range(0, types.size()).boxed().toList(), random)) {
                    Fault fault = faultsOfTypes.get(type).get(i);
                    String target =
                            types.get(type).get(random.nextInt(types.get(type).size()));
                    Duration outage = millis(random, OUTAGE_MILLIS);
                    boolean beyondLease = fault == Fault.FREEZE && target.contains("worker");
                    schedule.add(new ScheduledFault(
                            wave,
                            millis(random, PAUSE_MILLIS),
                            fault,
                            target,
                            beyondLease ? lease.plus(outage) : outage));
                }
            }
        }
        return schedule.subList(0, count);
    }

    private static <T> List<T> shuffled(List<T> list, Random random) {
        List<T> shuffled = new ArrayList<>(list);
        Collections.shuffle(shuffled, random);
        return shuffled;
    }

    private static Duration millis(Random random, int[] bounds) {
        return Duration.ofMillis(random.nextInt(bounds[0], bounds[1]));
    }

    /** In one line, such as {@code freeze aggregator-worker-2 for 4.2 s}. */
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%-6s %-19s for %.1f s", kind(), target, outage.toMillis() / 1000.0);
    }

    /** Such as {@code freeze}. */
    String kind() {
        return fault.name().toLowerCase(Locale.ROOT);
    }
}
