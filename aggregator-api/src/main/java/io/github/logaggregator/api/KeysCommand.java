package io.github.logaggregator.api;

import io.github.logaggregator.api.ApiKey.Scope;
import io.github.logaggregator.model.EventParser;
import io.github.logaggregator.model.InvalidEventException;
import io.github.logaggregator.model.Timestamps;
import io.github.logaggregator.model.TopicPattern;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.DefaultApplicationArguments;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.boot.flyway.autoconfigure.FlywayAutoConfiguration;
import org.springframework.boot.flyway.autoconfigure.FlywayMigrationStrategy;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.util.StringUtils;

/**
 * The command {@code keys}: creates, lists and revokes keys, in PostgreSQL, whether an API runs or not. Standard output has what was
 * asked for, a new key alone for one, so that a script can take it; everything else goes to standard error.
 *
 * <p>Exit codes: 0 if it is done, 1 if it could not be, 2 if it makes no sense.
 */
final class KeysCommand {
    private static final String NAME = "keys";
    private static final int DONE = 0;
    private static final int FAILED = 1;
    private static final int BAD_OPTIONS = 2;

    /** By which people, and programs that look for secrets, recognise a key. */
    private static final String PREFIX = "agg_";

    private static final int SECRET_BYTES = 32;

    private static final String USAGE = """
            keys create --name=NAME --scopes=publish,read,admin --topics=PATTERN,… [--expires=90d]
              makes a key and shows it, this once. Topics are patterns, in which * stands for any characters:
              orders.* or, for all, *. It expires after some time, or at one such as 2027-01-01T00:00:00Z.
            keys list
            keys revoke --id=ID
            keys revoke --name=NAME""";

    private final ApplicationArguments arguments;
    private final EventStoreKeys store;

    private KeysCommand(ApplicationArguments arguments, EventStoreKeys store) {
        this.arguments = arguments;
        this.store = store;
    }

    /** What the command needs of the application: the database, by the settings by which the schema is migrated. */
    @ImportAutoConfiguration(FlywayAutoConfiguration.class)
    static final class Database {
        @Bean
        static FlywayMigrationStrategy whenItIsKnownThatTheCommandMakesSense() {
            return flyway -> {};
        }
    }

    /** Why a command can't be done. */
    private static final class BadOptionException extends RuntimeException {
        BadOptionException(String message) {
            super(message);
        }
    }

    /** Whether the arguments of this process are those of the command. */
    static boolean isMeant(String... arguments) {
        return arguments.length > 0 && arguments[0].equals(NAME);
    }

    /** Does what the arguments say, and gives the exit code. */
    static int run(String... arguments) {
        try (ConfigurableApplicationContext context = new SpringApplicationBuilder(Database.class)
                .web(WebApplicationType.NONE)
                .logStartupInfo(false)
                // Standard output is the command's.
                .properties("logging.threshold.console=off")
                .run(arguments)) {
            Flyway flyway = context.getBean(Flyway.class);
            return new KeysCommand(
                            new DefaultApplicationArguments(arguments),
                            new EventStoreKeys(
                                    JdbcClient.create(flyway.getConfiguration().getDataSource())))
                    .run(flyway);
        }
    }

    private int run(Flyway flyway) {
        try {
            IntSupplier command = command();
            flyway.migrate();
            return command.getAsInt();
        } catch (BadOptionException e) {
            System.err.println(e.getMessage());
            return BAD_OPTIONS;
        } catch (FlywayException | DataAccessException e) {
            System.err.println("PostgreSQL does not answer as it should: "
                    + NestedExceptionUtils.getMostSpecificCause(e).getMessage());
            return FAILED;
        }
    }

    /** @throws BadOptionException if there is none that makes sense */
    private IntSupplier command() {
        List<String> words = arguments.getNonOptionArgs();
        return switch (words.size() == 2 ? words.getLast() : "") {
            case "create" -> create();
            case "list" -> {
                refuseOtherOptions(Set.of());
                yield this::list;
            }
            case "revoke" -> revoke();
            default -> throw new BadOptionException(USAGE);
        };
    }

    private IntSupplier create() {
        refuseOtherOptions(Set.of("name", "scopes", "topics", "expires"));
        String name = name();
        Set<Scope> scopes = EnumSet.noneOf(Scope.class);
        listed("scopes").forEach(text -> scopes.add(scope(text)));
        List<TopicPattern> topics =
                listed("topics").stream().map(TopicPattern::new).toList();
        Instant expires = expires();
        return () -> create(name, scopes, topics, expires);
    }

    private int create(String name, Set<Scope> scopes, List<TopicPattern> topics, @Nullable Instant expires) {
        byte[] secret = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(secret);
        String key = PREFIX + HexFormat.of().formatHex(secret);
        Optional<Long> id = store.create(name, ApiKey.hash(key), scopes, topics, expires);
        if (id.isEmpty()) {
            System.err.println("There are " + EventStoreKeys.MAX_VALID + " valid keys of the name " + name
                    + " already: revoke one first (keys list, keys revoke --id=ID).");
            return FAILED;
        }
        System.err.println("Key " + id.get() + " of the name " + name + ", which "
                + (expires == null ? "does not expire" : "expires at " + expires)
                + ". Keep it: it is not stored, and shown this once.");
        System.out.println(key);
        return DONE;
    }

    private int list() {
        List<ApiKey> keys = store.read();
        Instant now = Instant.now();
        row("ID", "NAME", "STATE", "CREATED", "EXPIRES", "SCOPES", "TOPICS");
        for (ApiKey key : keys) {
            row(
                    Long.toString(key.id()),
                    key.name(),
                    key.revoked() != null ? "revoked" : key.isValid(now) ? "valid" : "expired",
                    key.created().truncatedTo(ChronoUnit.SECONDS).toString(),
                    key.expires() == null ? "never" : key.expires().toString(),
                    key.scopes().stream().map(Scope::text).collect(Collectors.joining(",")),
                    key.topicsText());
        }
        return DONE;
    }

    private static void row(Object... cells) {
        System.out.println("%-4s %-20s %-8s %-20s %-20s %-18s %s".formatted(cells));
    }

    private IntSupplier revoke() {
        refuseOtherOptions(Set.of("id", "name"));
        if (arguments.containsOption("id") == arguments.containsOption("name")) {
            throw new BadOptionException(USAGE);
        }
        if (arguments.containsOption("name")) {
            String name = name();
            return () -> revoked(store.revoke(name));
        }
        String text = single("id");
        if (!text.matches("[0-9]{1,18}")) {
            throw new BadOptionException("--id=" + text + " must be the number of a key, as keys list has it");
        }
        return () -> revoked(store.revoke(Long.parseLong(text)));
    }

    private static int revoked(int keys) {
        if (keys == 0) {
            System.err.println("There is no such key, or it is revoked already.");
            return FAILED;
        }
        System.err.println(
                "Revoked " + keys + (keys == 1 ? " key" : " keys") + ". Each API refuses it within seconds.");
        return DONE;
    }

    private String name() {
        String name = single("name");
        EventParser.faultOfName(name).ifPresent(fault -> {
            throw new BadOptionException("--name=" + name + " " + fault);
        });
        return name;
    }

    private static Scope scope(String text) {
        for (Scope scope : Scope.values()) {
            if (scope.text().equals(text)) {
                return scope;
            }
        }
        throw new BadOptionException("--scopes has " + text + "; there are publish, read and admin");
    }

    /** Null for never. */
    private @Nullable Instant expires() {
        if (!arguments.containsOption("expires")) {
            return null;
        }
        String text = single("expires");
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        Instant expires;
        try {
            expires = Character.isDigit(text.charAt(text.length() - 1)) || text.contains(":")
                    ? Timestamps.parse("expires", text)
                    : now.plus(DurationStyle.detectAndParse(text));
        } catch (InvalidEventException | IllegalArgumentException | ArithmeticException | DateTimeException e) {
            throw new BadOptionException(
                    "--expires=" + text + " must be a duration, such as 90d, or a time, such as 2027-01-01T00:00:00Z");
        }
        if (!expires.isAfter(now)) {
            throw new BadOptionException("--expires=" + text + " must be in the future");
        }
        return expires;
    }

    /** The values of an option that stand between commas. */
    private List<String> listed(String option) {
        List<String> values = values(option).stream()
                .flatMap(value -> Stream.of(StringUtils.tokenizeToStringArray(value, ",")))
                .distinct()
                .toList();
        if (values.isEmpty()) {
            throw new BadOptionException("--" + option + "=… is missing\n" + USAGE);
        }
        return values;
    }

    private String single(String option) {
        List<String> values = values(option);
        if (values.size() != 1 || values.getFirst().isEmpty()) {
            throw new BadOptionException("--" + option + "=… must stand there once\n" + USAGE);
        }
        return values.getFirst();
    }

    private List<String> values(String option) {
        return Objects.requireNonNullElse(arguments.getOptionValues(option), List.of());
    }

    /** Spring's own settings may stand there, too, such as where the database is. */
    private void refuseOtherOptions(Set<String> known) {
        for (String option : arguments.getOptionNames()) {
            if (!known.contains(option) && !option.startsWith("spring.")) {
                throw new BadOptionException("--" + option + " is no option here\n" + USAGE);
            }
        }
    }
}
