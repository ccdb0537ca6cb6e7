package io.github.logaggregator.tests;

import java.nio.file.Path;
import java.util.List;

/** Who takes the messages of a machine: which configuration it has beside the example's, and how it is run by a test. */
enum SyslogDaemon {
    RSYSLOG("rsyslog", "rsyslogd", 256) {
        @Override
        String configuration(Path folder, int port) {
            return """
                    global(workDirectory="%1$s")
                    module(load="imptcp")
                    input(type="imptcp" address="127.0.0.1" port="%2$d")
                    include(file="%1$s/inbox.conf")
                    """.formatted(folder, port);
        }

        @Override
        ClientExample in(Path folder, ClientExample example) {
            return example.with("/usr/local/lib", folder.toString())
                    .with("/var/spool/rsyslog", folder.toString())
                    .with("/var/log/inbox-refused.log", folder.resolve(REPORT).toString());
        }

        @Override
        List<String> arguments(Path folder) {
            return List.of("-n", "-f", folder.resolve(MAIN).toString(), "-i", pidFile(folder));
        }
    },
    // What is longer it takes for no host.
    SYSLOG_NG("syslog-ng", "syslog-ng", 250) {
        @Override
        String configuration(Path folder, int port) {
            return """
                    @version: 3.38
                    options { keep-hostname(yes); };
                    source s_src { network(transport(tcp) ip(127.0.0.1) port(%2$d)); };
                    @include "%1$s/inbox.conf"
                    """.formatted(folder, port);
        }

        @Override
        ClientExample in(Path folder, ClientExample example) {
            return example.with("/var/lib/syslog-ng", folder.toString());
        }

        @Override
        List<String> arguments(Path folder) {
            return List.of(
                    "--foreground",
                    "--stderr",
                    "--no-caps",
                    "--cfgfile=" + folder.resolve(MAIN),
                    "--persist-file=" + folder.resolve("persist"),
                    "--control=" + folder.resolve("control"),
                    "--pidfile=" + pidFile(folder));
        }
    };

    /** The name of the machine's own configuration. */
    static final String MAIN = "main.conf";

    /** The name of the file in which what is refused is reported. */
    static final String REPORT = "report.log";

    private final String title;
    private final String program;
    private final int hostTooLong;

    SyslogDaemon(String title, String program, int hostTooLong) {
        this.title = title;
        this.program = program;
        this.hostTooLong = hostTooLong;
    }

    /** The title of its section. */
    String title() {
        return title;
    }

    String program() {
        return program;
    }

    /** A host with such a name that the inbox refuses its messages. */
    String hostTooLong() {
        return "x".repeat(hostTooLong);
    }

    /** The machine's own configuration: a source, and the inclusion of the example. */
    abstract String configuration(Path folder, int port);

    /** The example with the test's folder in place of those of a machine. */
    abstract ClientExample in(Path folder, ClientExample example);

    abstract List<String> arguments(Path folder);

    private static String pidFile(Path folder) {
        return folder.resolve("pid").toString();
    }
}
