package io.github.logaggregator.tests;

import static org.awaitility.Awaitility.await;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import io.github.logaggregator.localstack.EmbeddedPostgresStore;
import io.github.logaggregator.localstack.EmbeddedRedisStore;
import io.github.logaggregator.localstack.Ports;
import io.github.logaggregator.localstack.StackException;
import io.github.logaggregator.localstack.Store;
import java.time.Duration;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;
import org.awaitility.core.TerminalFailureException;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.postgresql.PostgreSQLContainer;

/**
 * PostgreSQL or Redis in a container, with the settings of docker-compose.yml. It is started again as the same
 * container, so it keeps its data, on a fixed port of the host, so that its clients find it again.
 */
final class ContainerStore implements Store {
    private static final Duration READY_WITHIN = Duration.ofMinutes(2);
    private static final int TAIL_LINES = 60;

    private final String name;
    private final int port = Ports.free();
    private final GenericContainer<?> container;
    private final BiPredicate<String, Integer> answers;

    private ContainerStore(
            String name, GenericContainer<?> container, int innerPort, BiPredicate<String, Integer> answers) {
        this.name = name;
        this.container = container;
        this.answers = answers;
        container.setWaitStrategy(new Unwaiting());
        // the address as seen by the engine: its own loopback interface, unless the engine is on another machine
        String interfaceOfHost = host().equals("127.0.0.1") ? "127.0.0.1:" : "";
        container.setPortBindings(List.of(interfaceOfHost + port + ":" + innerPort));
    }

    static ContainerStore postgres() {
        PostgreSQLContainer container = new PostgreSQLContainer(Backing.POSTGRES_IMAGE)
                .withDatabaseName(EmbeddedPostgresStore.DATABASE)
                .withUsername(EmbeddedPostgresStore.USER)
                .withPassword(EmbeddedPostgresStore.PASSWORD)
                .withCommand("postgres"); // instead of the library's own, which has fsync off
        return new ContainerStore("postgresql", container, 5432, EmbeddedPostgresStore::answers);
    }

    static ContainerStore redis() {
        GenericContainer<?> container = new GenericContainer<>(Backing.REDIS_IMAGE)
                .withExposedPorts(6379)
                .withCommand(Stream.concat(
                                Stream.of("redis-server", "--maxmemory", EmbeddedRedisStore.MAX_MEMORY),
                                EmbeddedRedisStore.DURABLE.stream())
                        .toArray(String[]::new));
        return new ContainerStore("redis", container, 6379, EmbeddedRedisStore::answers);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String host() {
        String host = container.getHost();
        return host.equals("localhost") ? "127.0.0.1" : host;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void start() {
        if (container.getContainerId() == null) {
            container.start();
        } else if (!isRunning()) {
            docker().startContainerCmd(container.getContainerId()).exec();
        }
    }

    @Override
    public void awaitReady() {
        try {
            await().atMost(READY_WITHIN)
                    .pollDelay(Duration.ZERO)
                    .failFast(() -> !isRunning())
                    .until(() -> answers.test(host(), port));
        } catch (ConditionTimeoutException | TerminalFailureException e) {
            throw new StackException(name + " does not answer. The end of its log:\n" + logTail(), e);
        }
    }

    @Override
    public void stop() {
        if (isRunning()) {
            if (Boolean.TRUE.equals(state().getPaused())) {
                resume();
            }
            docker().stopContainerCmd(container.getContainerId())
                    .withTimeout(10)
                    .exec();
        }
    }

    @Override
    public void kill() {
        if (isRunning()) {
            docker().killContainerCmd(container.getContainerId()).exec();
            await().atMost(READY_WITHIN).until(() -> !isRunning());
        }
    }

    @Override
    public void pause() {
        docker().pauseContainerCmd(container.getContainerId()).exec();
    }

    @Override
    public void resume() {
        docker().unpauseContainerCmd(container.getContainerId()).exec();
    }

    private boolean isRunning() {
        return container.getContainerId() != null && Boolean.TRUE.equals(state().getRunning());
    }

    private ContainerState state() {
        return docker().inspectContainerCmd(container.getContainerId()).exec().getState();
    }

    private DockerClient docker() {
        return container.getDockerClient();
    }

    @Override
    public String log() {
        return container.getLogs();
    }

    @Override
    public String logTail() {
        List<String> lines = log().lines().toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size()));
    }

    /** Removes the container and its data. */
    @Override
    public void close() {
        container.stop();
    }

    /** {@link #awaitReady} asks the server itself, and does so after each start, not only the first. */
    private static final class Unwaiting extends AbstractWaitStrategy {
        @Override
        protected void waitUntilReady() {}
    }
}
