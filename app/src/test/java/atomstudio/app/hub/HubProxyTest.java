package atomstudio.app.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.HubConnection.Patience;
import atomstudio.app.hub.HubProxy.ProxyAddress;
import atomstudio.diffusion.Failure;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The proxy of downloads, with local servers.
class HubProxyTest {
    private static final Patience PATIENCE = new Patience(Duration.ofSeconds(2), Duration.ofSeconds(2), 2,
            Duration.ofMillis(10));

    @TempDir
    private Path folder;

    private static HubProxy environment(String... pairs) {
        Map<String, String> variables = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) variables.put(pairs[i], pairs[i + 1]);
        return HubProxy.of(Optional.empty(), variables, new Properties());
    }

    private static String proxy(HubProxy proxy, String uri) {
        return proxy.proxy(URI.create(uri)).map(ProxyAddress::hostAndPort).orElse("");
    }

    @Test
    void requestsGoThroughTheProxy() throws Exception {
        try (FakeHub hub = FakeHub.start()) {
            hub.repository("atom/small").add("a.txt", "hello");
            // The server answers for any host, as a proxy does.
            HubProxy proxy = environment("HTTP_PROXY", hub.address().toString());
            RepositoryId id = RepositoryId.parse("atom/small", "");
            try (HubClient client = new HubClient(HubAddress.parse("http://hub.invalid"), Optional.empty(), proxy,
                    PATIENCE)) {
                assertEquals(hub.repository("atom/small").commit, client.repository(id, () -> false).commit());
            }
            HubProxy direct = environment("HTTP_PROXY", hub.address().toString(), "NO_PROXY", "invalid");
            try (HubClient client = new HubClient(HubAddress.parse("http://hub.invalid"), Optional.empty(), direct,
                    PATIENCE)) {
                Failure failure = assertThrows(Failure.Remote.class, () -> client.repository(id, () -> false));
                assertTrue(failure.getMessage().contains("hub.invalid cannot be found"), failure.getMessage());
            }
        }
    }

    @Test
    void tunnelGetsThePasswordAndTheHubDoesNot() throws Exception {
        List<String> lines = Collections.synchronizedList(new ArrayList<>());
        try (ServerSocket server = new ServerSocket(0, 0, InetAddress.getLoopbackAddress())) {
            Thread.ofVirtual().start(() -> answerTunnels(server, lines));
            ProxyAddress address = ProxyAddress.parse("http://me:se%40cret@127.0.0.1:" + server.getLocalPort());
            try (HubClient client = new HubClient(HubAddress.parse("https://hub.invalid"), Optional.empty(),
                    HubProxy.of(Optional.of(address), Map.of(), new Properties()), PATIENCE)) {
                RepositoryId id = RepositoryId.parse("atom/small", "");
                Failure failure = assertThrows(Failure.Remote.class, () -> client.repository(id, () -> false));
                assertFalse(failure.getMessage().contains("cret"), failure.getMessage());
            }
        }
        assertEquals("CONNECT hub.invalid:443 HTTP/1.1", lines.getFirst());
        String secret = Base64.getEncoder().encodeToString("me:se@cret".getBytes(StandardCharsets.UTF_8));
        assertTrue(lines.contains("proxy-authorization: Basic " + secret), lines.toString());
    }

    /// Demands a password, and refuses the tunnel when it has one.
    private static void answerTunnels(ServerSocket server, List<String> lines) {
        while (true) {
            try (Socket socket = server.accept()) {
                BufferedReader reader = new BufferedReader(
                        new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
                boolean hasPassword = false;
                for (String line = reader.readLine(); line != null && !line.isEmpty(); line = reader.readLine()) {
                    String name = line.replaceFirst("(?i)^proxy-authorization:", "proxy-authorization:");
                    lines.add(name);
                    hasPassword |= name.startsWith("proxy-authorization:");
                }
                String answer = hasPassword ? "HTTP/1.1 403 Forbidden\r\n"
                        : "HTTP/1.1 407 Authenticate\r\nProxy-Authenticate: Basic realm=\"x\"\r\n";
                socket.getOutputStream()
                        .write((answer + "Content-Length: 0\r\nConnection: close\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
            } catch (IOException closed) {
                return;
            }
        }
    }

    @Test
    void proxyThatIsOffIsNamed() throws Exception {
        int closed;
        try (ServerSocket socket = new ServerSocket(0)) {
            closed = socket.getLocalPort();
        }
        try (HubClient client = new HubClient(HubAddress.parse("https://hub.invalid"), Optional.empty(),
                environment("https_proxy", "http://me:secret@127.0.0.1:" + closed), PATIENCE)) {
            Failure failure = assertThrows(Failure.Remote.class,
                    () -> client.repository(RepositoryId.parse("atom/small", ""), () -> false));
            assertEquals("atom/small: the proxy 127.0.0.1:" + closed
                    + " accepts no connection: it is switched off, or a firewall blocks it", failure.getMessage());
        }
    }

    @Test
    void settingsComeBeforePropertiesBeforeTheEnvironment() {
        Map<String, String> variables = Map.of("HTTPS_PROXY", "env:1", "NO_PROXY", "localhost, .example.com,10.0.0.1");
        HubProxy setting = HubProxy.of(Optional.of(ProxyAddress.parse("mine:3128")), variables, new Properties());
        assertEquals("mine:3128", proxy(setting, "https://hub.test"));
        assertEquals("", proxy(setting, "https://a.example.com"));
        assertEquals("", proxy(setting, "http://10.0.0.1/x"));
        Properties java = new Properties();
        java.setProperty("https.proxyHost", "java");
        assertEquals(HubProxy.SYSTEM, HubProxy.of(Optional.empty(), variables, java));
        HubProxy environment = HubProxy.of(Optional.empty(), variables, new Properties());
        assertEquals("env:1", proxy(environment, "https://hub.test"));
        assertEquals("", proxy(environment, "http://hub.test"), "HTTPS_PROXY is for https");
        assertEquals("all:1080", proxy(environment("ALL_PROXY", "http://all/"), "http://hub.test"));
        assertEquals("small:2", proxy(environment("https_proxy", "small:2", "HTTPS_PROXY", "large:3"), "https://h"));
        assertEquals("", proxy(environment("HTTPS_PROXY", "p:1", "no_proxy", "*"), "https://hub.test"));
        assertEquals("p:1", proxy(environment("HTTPS_PROXY", "p:1", "NO_PROXY", "hub.test:8443"), "https://hub.test"));
        assertEquals("p:1", proxy(environment("HTTPS_PROXY", "p:1", "NO_PROXY", "test.org"), "https://mytest.org"));
        assertEquals(HubProxy.SYSTEM, environment("HTTPS_PROXY", "socks5://p:1"), "not supported");
    }

    @Test
    void addressIsSavedWithItsPassword() throws Exception {
        ProxyAddress address = ProxyAddress.parse("http://me:a%20b@proxy.example.com:8080/");
        assertEquals("me:a b", address.user());
        Path file = folder.resolve("hub.json");
        HubSettings.DEFAULT.withProxy(Optional.of(address)).write(file);
        assertEquals(Optional.of(address), HubSettings.read(file).proxy());
        for (String wrong : List.of("ftp://p", "http://", "http://p:1/path", "a b"))
            assertThrows(IllegalArgumentException.class, () -> ProxyAddress.parse(wrong), wrong);
    }
}
