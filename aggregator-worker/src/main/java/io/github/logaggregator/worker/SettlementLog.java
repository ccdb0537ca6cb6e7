package io.github.logaggregator.worker;

import io.github.logaggregator.model.ClaimId;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells in the log what was settled: of each claim at debug, all together at info when somebody asks for it, and dead letters
 * at warn, with the reasons. Never what an event holds.
 */
final class SettlementLog {
    private static final Logger LOG = LoggerFactory.getLogger(SettlementLog.class);
    private static final int MAX_REASONS = 3;
    private static final int MAX_REASON_LENGTH = 200;

    private long claims;
    private long stored;
    private long duplicates;
    private long conflicting;
    private long deadLettered;

    /** Counts a claim, unless another settlement of it did. */
    synchronized void settled(ClaimId claim, Settlement settlement) {
        LOG.debug(
                "Claim {}: {} events stored, {} duplicates, {} of them conflicting, {} dead letters",
                claim,
                settlement.stored(),
                settlement.duplicates(),
                settlement.conflicting(),
                settlement.deadLettered());
        if (settlement.counted()) {
            claims++;
            stored += settlement.stored();
            duplicates += settlement.duplicates();
            conflicting += settlement.conflicting();
            deadLettered += settlement.deadLettered();
        }
    }

    /** @param reasons each once, of all dead letters of the claim */
    void deadLetters(ClaimId claim, List<String> reasons) {
        LOG.warn(
                "Claim {} has dead letters (GET /dead-letters): {}",
                claim,
                reasons.stream().limit(MAX_REASONS).map(SettlementLog::oneLine).collect(Collectors.joining("; "))
                        + (reasons.size() > MAX_REASONS ? "; and others" : ""));
    }

    /** A reason names the field, whose name may be anything. */
    static String oneLine(String reason) {
        String line = reason.replaceAll("\\p{Cntrl}", " ");
        return line.length() <= MAX_REASON_LENGTH ? line : line.substring(0, MAX_REASON_LENGTH) + "…";
    }

    /** Sums up what was settled since the last time, if anything was. */
    synchronized void tell() {
        if (claims > 0) {
            LOG.info(
                    "Settled {} events in {} claims: {} stored, {} duplicates, {} of them conflicting, {} dead letters",
                    stored + duplicates + deadLettered,
                    claims,
                    stored,
                    duplicates,
                    conflicting,
                    deadLettered);
            claims = 0;
            stored = 0;
            duplicates = 0;
            conflicting = 0;
            deadLettered = 0;
        }
    }
}
