package io.github.logaggregator.tests;

import java.time.Duration;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * Gives tests the system that {@link SharedSystem} or {@link OwnSystem} asks for, prints what its processes logged when
 * a test fails, and closes it.
 */
final class SystemExtension implements ParameterResolver, AfterEachCallback {
    private static final Namespace NAMESPACE = Namespace.create(SystemExtension.class);

    static {
        // It ends what hangs; how fast something has to be is said where that is tested.
        Awaitility.setDefaultTimeout(Duration.ofMinutes(1));
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType().equals(AggregatorSystem.class);
    }

    @Override
    public AggregatorSystem resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return own(context)
                .map(own -> system(context, own.apis(), own.workers()))
                .orElseGet(() -> system(context.getRoot(), 1, 1));
    }

    private static Optional<OwnSystem> own(ExtensionContext context) {
        return AnnotationSupport.findAnnotation(context.getElement(), OwnSystem.class)
                .or(() -> AnnotationSupport.findAnnotation(context.getTestClass(), OwnSystem.class));
    }

    /**
     * The system of a test, or of the whole run; JUnit closes it together with that context. The key is the owner's, since
     * a test's context would else find the whole run's, too.
     */
    private static AggregatorSystem system(ExtensionContext owner, int apis, int workers) {
        return owner.getStore(NAMESPACE)
                .computeIfAbsent(
                        owner.getUniqueId(),
                        key -> {
                            AggregatorSystem system = AggregatorSystem.withStores();
                            try {
                                system.start(apis, workers);
                                return system;
                            } catch (RuntimeException e) {
                                system.close();
                                throw e;
                            }
                        },
                        AggregatorSystem.class);
    }

    /** The system in question is the test's, its class's or the whole run's. */
    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().isEmpty()) {
            return;
        }
        Optional<ExtensionContext> owner = Optional.of(context);
        for (; owner.isPresent(); owner = owner.get().getParent()) {
            AggregatorSystem system =
                    owner.get().getStore(NAMESPACE).get(owner.get().getUniqueId(), AggregatorSystem.class);
            if (system != null) {
                System.out.println(context.getDisplayName() + " failed, and this is what was logged:" + system.logs());
                return;
            }
        }
    }
}
