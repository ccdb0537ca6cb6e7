package io.github.logaggregator.tests;

import io.github.logaggregator.localstack.ManagedProcess;

/** What befalls a process, and how it is over. */
enum Fault {
    /** SIGKILL: it has no time for anything. */
    KILL {
        @Override
        void begin(ManagedProcess process) {
            process.kill();
        }

        @Override
        void end(ManagedProcess process) {
            process.start();
        }
    },
    /** Its signal for an orderly end, SIGTERM in most cases. */
    STOP {
        @Override
        void begin(ManagedProcess process) {
            process.stop();
        }

        @Override
        void end(ManagedProcess process) {
            process.start();
        }
    },
    /** SIGSTOP, then SIGCONT: its connections hang, and it goes on as if no time had passed. */
    FREEZE {
        @Override
        void begin(ManagedProcess process) {
            process.pause();
        }

        @Override
        void end(ManagedProcess process) {
            process.resume();
        }
    };

    abstract void begin(ManagedProcess process);

    abstract void end(ManagedProcess process);
}
