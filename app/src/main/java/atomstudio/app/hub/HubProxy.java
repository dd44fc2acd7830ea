package atomstudio.app.hub;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/// The proxy of downloads: that of the settings; else Java's system properties `https.proxyHost` and `http.proxyHost`;
/// else the environment variables HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, small letters too. NO_PROXY lists hosts that
/// are reached directly, for the settings and the variables.
/// Source: curl's manual, "Environment".
public final class HubProxy extends ProxySelector {
    /// Java's own choice, which reads its system properties.
    static final HubProxy SYSTEM = new HubProxy(Map.of(), List.of());

    private final Map<String, ProxyAddress> byScheme;
    private final List<String> direct;

    static {
        // Java sends no password through a tunnel unless this is set before its first request.
        if (System.getProperty("jdk.http.auth.tunneling.disabledSchemes") == null)
            System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
    }

    /// @param user   empty: none; then with the password after a colon
    public record ProxyAddress(String host, int port, String user) {
        private static final int DEFAULT_PORT = 1080;

        /// Parses `[http://][USER:PASSWORD@]HOST[:PORT]`.
        /// @throws IllegalArgumentException with a message for the user
        public static ProxyAddress parse(String text) {
            String address = text.strip().replaceFirst("(?<=[^/:])/+$", "");
            if (!address.contains("://")) address = "http://" + address;
            try {
                URI uri = new URI(address);
                boolean isHttp = "http".equalsIgnoreCase(uri.getScheme());
                boolean isPlain = uri.getPath().isEmpty() && uri.getQuery() == null && uri.getFragment() == null;
                if (isHttp && isPlain && uri.getHost() != null)
                    return new ProxyAddress(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort(),
                            uri.getUserInfo() == null ? "" : uri.getUserInfo());
            } catch (URISyntaxException malformed) {
                // Reported below, without the text: it may contain a password.
            }
            throw new IllegalArgumentException(
                    "expected the address of an HTTP proxy such as http://proxy.example.com:8080");
        }

        /// For messages: without user and password.
        public String hostAndPort() {
            return host + ":" + port;
        }

        /// As it is parsed.
        @Override
        public String toString() {
            try {
                return new URI("http", user.isEmpty() ? null : user, host, port, null, null, null).toString();
            } catch (URISyntaxException impossible) {
                throw new IllegalStateException(impossible);
            }
        }
    }

    private HubProxy(Map<String, ProxyAddress> byScheme, List<String> direct) {
        this.byScheme = Map.copyOf(byScheme);
        this.direct = List.copyOf(direct);
    }

    /// Of this process.
    static HubProxy of(Optional<ProxyAddress> setting) {
        return of(setting, System.getenv(), System.getProperties());
    }

    /// A variable that is no address of an HTTP proxy is ignored.
    static HubProxy of(Optional<ProxyAddress> setting, Map<String, String> environment, Properties system) {
        List<String> direct = Arrays.stream(variable(environment, "NO_PROXY").split(","))
                .map(String::strip)
                .filter(host -> !host.isEmpty())
                .toList();
        if (setting.isPresent()) return new HubProxy(Map.of("http", setting.get(), "https", setting.get()), direct);
        if (system.getProperty("https.proxyHost") != null || system.getProperty("http.proxyHost") != null)
            return SYSTEM;
        Map<String, ProxyAddress> found = new HashMap<>();
        for (String scheme : List.of("http", "https")) {
            String own = variable(environment, scheme.toUpperCase(Locale.ROOT) + "_PROXY");
            String address = own.isEmpty() ? variable(environment, "ALL_PROXY") : own;
            try {
                if (!address.isEmpty()) found.put(scheme, ProxyAddress.parse(address));
            } catch (IllegalArgumentException notHttp) {
                LoggerFactory.getLogger(HubProxy.class)
                        .warn("the proxy variable for {} is ignored: {}", scheme, notHttp.getMessage());
            }
        }
        return found.isEmpty() ? SYSTEM : new HubProxy(found, direct);
    }

    /// Small letters count first, as for curl.
    private static String variable(Map<String, String> environment, String name) {
        String small = environment.getOrDefault(name.toLowerCase(Locale.ROOT), "");
        return (small.isBlank() ? environment.getOrDefault(name, "") : small).strip();
    }

    /// The proxy for an address; empty: none, or Java's own choice.
    Optional<ProxyAddress> proxy(URI uri) {
        if (direct.stream().anyMatch(entry -> matches(entry, uri))) return Optional.empty();
        return Optional.ofNullable(byScheme.get(uri.getScheme().toLowerCase(Locale.ROOT)));
    }

    /// `example.com` and `.example.com` stand for the host and all below it, `*` for all hosts.
    private static boolean matches(String entry, URI uri) {
        if (entry.equals("*")) return true;
        String name = entry.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", "");
        int colon = name.lastIndexOf(':');
        if (colon > 0 && name.indexOf(':') == colon) {
            int port = uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equalsIgnoreCase("https") ? 443 : 80;
            if (!name.substring(colon + 1).equals(String.valueOf(port))) return false;
            name = name.substring(0, colon);
        }
        String host = uri.getHost().toLowerCase(Locale.ROOT);
        return host.equals(name) || host.endsWith("." + name);
    }

    @Override
    public List<Proxy> select(URI uri) {
        if (this == SYSTEM) {
            ProxySelector system = ProxySelector.getDefault();
            return system == null ? List.of(Proxy.NO_PROXY) : system.select(uri);
        }
        return List.of(proxy(uri)
                .map(found -> new Proxy(Proxy.Type.HTTP, new InetSocketAddress(found.host, found.port)))
                .orElse(Proxy.NO_PROXY));
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // The failure reaches the caller of the request.
    }

    /// Gives a client the proxy and its password.
    HttpClient.Builder use(HttpClient.Builder builder) {
        builder.proxy(this);
        if (byScheme.values().stream().noneMatch(address -> address.user.contains(":"))) return builder;
        return builder.authenticator(new Authenticator() {
            @Override
            protected @Nullable PasswordAuthentication getPasswordAuthentication() {
                if (getRequestorType() != RequestorType.PROXY) return null;
                return byScheme.values()
                        .stream()
                        .filter(address -> address.host.equalsIgnoreCase(getRequestingHost())
                                && address.user.contains(":"))
                        .findFirst()
                        .map(HubProxy::password)
                        .orElse(null);
            }
        });
    }

    private static PasswordAuthentication password(ProxyAddress address) {
        int colon = address.user.indexOf(':');
        return new PasswordAuthentication(address.user.substring(0, colon),
                address.user.substring(colon + 1).toCharArray());
    }
}
