package io.github.logaggregator.publisher;

import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.propagation.Propagator;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.ApplicationArguments;
import org.springframework.boot.DefaultApplicationArguments;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.ssl.NoSuchSslBundleException;
import org.springframework.boot.ssl.SslBundles;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.validation.FieldError;
import org.springframework.validation.ObjectError;

/** Sends events to the aggregator, reports, and exits: 0 if the books balance, 1 if not, 2 for bad options. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(PublisherProperties.class)
public class PublisherApplication {
    private static final List<String> OPTION_PREFIXES = List.of("publisher.", "spring.", "logging.", "management.");

    /** Runs with options such as {@code --publisher.count=1000}; application.yml tells them all. */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    /** Runs and gives the exit code. */
    static int run(String... args) {
        List<String> badArguments = badArguments(new DefaultApplicationArguments(args));
        if (!badArguments.isEmpty()) {
            badArguments.forEach(System.err::println);
            return PublisherRun.BAD_OPTIONS;
        }
        try {
            ConfigurableApplicationContext context = SpringApplication.run(PublisherApplication.class, args);
            // A context that is being closed already was asked to by a signal, which sets the exit code itself.
            return context.isActive() ? SpringApplication.exit(context) : PublisherRun.FAILED;
        } catch (RuntimeException e) {
            List<String> badOptions = badOptions(e);
            if (badOptions.isEmpty()) {
                throw e;
            }
            badOptions.forEach(System.err::println);
            return PublisherRun.BAD_OPTIONS;
        }
    }

    @Bean
    Tally tally() {
        return new Tally();
    }

    @Bean
    AggregatorClient.Tracing tracing(Tracer tracer, Propagator propagator) {
        return new AggregatorClient.Tracing(tracer, propagator);
    }

    @Bean
    AggregatorClient aggregatorClient(
            PublisherProperties properties, Tally tally, AggregatorClient.Tracing tracing, SslBundles bundles)
            throws NoSuchAlgorithmException {
        String bundle = properties.sslBundle();
        SSLContext ssl = bundle == null ? SSLContext.getDefault() : sslContext(bundle, bundles);
        return new AggregatorClient(properties, tally, InstantSource.system(), tracing, ssl);
    }

    private static SSLContext sslContext(String bundle, SslBundles bundles) {
        try {
            return bundles.getBundle(bundle).createSslContext();
        } catch (NoSuchSslBundleException e) {
            throw new InvalidConfigurationPropertyValueException(
                    "publisher.ssl-bundle", bundle, "names no bundle below spring.ssl.bundle");
        }
    }

    @Bean
    PublisherRun publisherRun(PublisherProperties properties, AggregatorClient client, Tally tally) {
        return new PublisherRun(properties, client, tally, System.out);
    }

    /** Spring passes over what it doesn't know, so that a slip of the pen would run with the defaults. */
    private static List<String> badArguments(ApplicationArguments arguments) {
        Stream<String> unknown = arguments.getOptionNames().stream()
                .filter(name -> OPTION_PREFIXES.stream().noneMatch(name::startsWith))
                .map(name -> "--" + name + " is no option; they are written like --publisher.count=1000");
        Stream<String> loose = arguments.getNonOptionArgs().stream()
                .map(argument -> argument + " is no option; they are written like --publisher.count=1000");
        return Stream.concat(unknown, loose).toList();
    }

    /** One line for each option at fault; empty when the failure has another cause. */
    private static List<String> badOptions(@Nullable Throwable failure) {
        if (failure == null) {
            return List.of();
        }
        if (failure instanceof BindValidationException invalid) {
            return invalid.getValidationErrors().getAllErrors().stream()
                    .map(PublisherApplication::badOption)
                    .sorted()
                    .toList();
        }
        if (failure instanceof UnboundConfigurationPropertiesException unknown) {
            return unknown.getUnboundProperties().stream()
                    .map(option -> "--" + option.getName() + " is no option")
                    .toList();
        }
        if (failure instanceof InvalidConfigurationPropertyValueException invalid) {
            return List.of("--" + invalid.getName() + "=" + invalid.getValue() + " " + invalid.getReason());
        }
        List<String> cause = badOptions(failure.getCause());
        if (cause.isEmpty() && failure instanceof BindException unreadable && unreadable.getProperty() != null) {
            ConfigurationProperty option = unreadable.getProperty();
            return List.of("--" + option.getName() + "=" + option.getValue() + " can't be read as "
                    + unreadable.getTarget().getType());
        }
        return cause;
    }

    private static String badOption(ObjectError error) {
        if (!(error instanceof FieldError field)) {
            return String.valueOf(error.getDefaultMessage());
        }
        // A key is shown nowhere, nor is one with a slip of the pen.
        Object value = field.getField().equals("key") ? "…" : field.getRejectedValue();
        return "--publisher." + DataObjectPropertyName.toDashedForm(field.getField()) + "=" + value + " "
                + field.getDefaultMessage();
    }
}
