package io.github.logaggregator.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Issues certificates for this machine's loopback interface, as PEM files, by the JDK's own keytool. */
final class CertificateAuthority {
    private static final String PASSWORD = "changeit";
    private static final String SELF = "authority";
    private static final Path KEYTOOL = Path.of(System.getProperty("java.home"), "bin", "keytool");

    private final Path folder;
    private final Path keys;

    /** A new one, which keeps its files in the given folder, which is made. */
    CertificateAuthority(Path folder) throws IOException, GeneralSecurityException {
        this.folder = Files.createDirectories(folder);
        this.keys = folder.resolve("keys.p12");
        keytool(SELF, "-ext", "bc:critical", "-ext", "ku:critical=keyCertSign");
        Files.writeString(certificate(), pem("CERTIFICATE", issued(SELF).getEncoded()));
    }

    Path folder() {
        return folder;
    }

    /** Its own certificate, {@code ca.crt}, by which all others are verified. */
    Path certificate() {
        return folder.resolve("ca.crt");
    }

    /**
     * A certificate, and the private key to it.
     *
     * @param x509 what is in the certificate's file
     */
    record Issued(Path certificate, Path key, X509Certificate x509) {
        /** Takes the place of another one, as a renewal does; no file ever is half written. */
        void replaceCertificate(Issued old) throws IOException {
            Files.move(certificate, old.certificate, StandardCopyOption.ATOMIC_MOVE);
        }

        void replaceKey(Issued old) throws IOException {
            Files.move(key, old.key, StandardCopyOption.ATOMIC_MOVE);
        }
    }

    /** Issues a certificate in a file {@code name.crt}, whose key {@code name.key} may be read by its owner alone. */
    Issued issue(String name) throws IOException, GeneralSecurityException {
        return issue(name, "ip:127.0.0.1,dns:localhost");
    }

    /** @param addresses for which it is good, as keytool wants them: {@code ip:127.0.0.1,dns:localhost} */
    Issued issue(String name, String addresses) throws IOException, GeneralSecurityException {
        keytool(name, "-signer", SELF, "-ext", "san=" + addresses);
        X509Certificate x509 = issued(name);
        Path certificate = Files.writeString(folder.resolve(name + ".crt"), pem("CERTIFICATE", x509.getEncoded()));
        Path key = Files.createFile(
                folder.resolve(name + ".key"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Key secret = Objects.requireNonNull(store().getKey(name, PASSWORD.toCharArray()));
        Files.writeString(key, pem("PRIVATE KEY", secret.getEncoded()));
        return new Issued(certificate, key, x509);
    }

    /** What trusts this authority and no other. */
    SSLContext trusted() throws IOException, GeneralSecurityException {
        KeyStore trust = KeyStore.getInstance("PKCS12");
        trust.load(null, null);
        trust.setCertificateEntry(SELF, issued(SELF));
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trust);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, managers.getTrustManagers(), new SecureRandom());
        return context;
    }

    private X509Certificate issued(String name) throws IOException, GeneralSecurityException {
        return (X509Certificate) Objects.requireNonNull(store().getCertificate(name));
    }

    private KeyStore store() throws IOException, GeneralSecurityException {
        return KeyStore.getInstance(keys.toFile(), PASSWORD.toCharArray());
    }

    private void keytool(String name, String... extensions) throws IOException {
        List<String> command = new ArrayList<>(List.of(KEYTOOL.toString(), "-genkeypair"));
        command.addAll(List.of("-keystore", keys.toString(), "-storepass", PASSWORD));
        command.addAll(List.of("-alias", name, "-dname", "CN=" + name, "-keyalg", "EC", "-groupname", "secp256r1"));
        command.addAll(List.of(extensions));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(keytool.onExit().join().exitValue()).as(output).isZero();
    }

    private static String pem(String what, byte[] der) {
        String base64 = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + what + "-----\n" + base64 + "\n-----END " + what + "-----\n";
    }
}
