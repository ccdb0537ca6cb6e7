package io.github.logaggregator.localstack;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The command line: {@code --local.*} is for the stack, {@code --publisher.*} is passed on.
 *
 * @param local every option of the stack by its name, such as {@code api-port}
 * @param publisher the publisher's arguments, as given
 */
record LocalOptions(Map<String, String> local, List<String> publisher) {
    private static final Pattern LOCAL = Pattern.compile("--local\\.([a-z-]+)=(.+)");

    private static Map<String, String> defaults() {
        Map<String, String> defaults = new LinkedHashMap<>();
        defaults.put("api-port", "8080");
        defaults.put("worker-port", "8081");
        defaults.put("postgres-port", "15432");
        defaults.put("redis-port", "16379");
        defaults.put("redis-maxmemory", EmbeddedRedisStore.MAX_MEMORY);
        return defaults;
    }

    /** @throws StackException if an argument is none of those, or a port is no port */
    static LocalOptions parse(String... arguments) {
        LocalOptions options = new LocalOptions(defaults(), new ArrayList<>());
        for (String argument : arguments) {
            Matcher local = LOCAL.matcher(argument);
            if (argument.startsWith("--publisher.")) {
                options.publisher.add(argument);
            } else if (!local.matches() || options.local.replace(local.group(1), local.group(2)) == null) {
                throw new StackException("Unknown option " + argument + ": there are --local.{"
                        + String.join(",", options.local.keySet()) + "}=… and the publisher's --publisher.…");
            }
        }
        for (String name : options.local.keySet()) {
            if (name.endsWith("-port")) {
                int unused = options.port(name);
            }
        }
        return options;
    }

    String get(String name) {
        String value = local.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name);
        }
        return value;
    }

    int port(String name) {
        String value = get(name);
        if (!value.matches("[1-9][0-9]{0,4}") || Integer.parseInt(value) > 65_535) {
            throw new StackException("--local." + name + "=" + value + " is no port: it must be from 1 to 65535.");
        }
        return Integer.parseInt(value);
    }
}
