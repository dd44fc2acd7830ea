package atomstudio.app.hub;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/// The address of the hub or of a mirror: scheme, host, and possibly a path, without a slash at the end.
public record HubAddress(URI uri) {
    public static final HubAddress DEFAULT = new HubAddress(URI.create("https://huggingface.co"));

    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    /// Parses an address; `https` is assumed if it has no scheme.
    /// @throws IllegalArgumentException with a message for the user
    public static HubAddress parse(String text) {
        String address = text.strip().replaceFirst("/+$", "");
        if (!address.contains("://")) address = "https://" + address;
        try {
            URI uri = new URI(address);
            boolean isWeb = "https".equalsIgnoreCase(uri.getScheme()) || "http".equalsIgnoreCase(uri.getScheme());
            boolean isPlain = uri.getUserInfo() == null && uri.getQuery() == null && uri.getFragment() == null;
            if (isWeb && isPlain && uri.getHost() != null) return new HubAddress(uri);
        } catch (URISyntaxException malformed) {
            // Reported below.
        }
        throw new IllegalArgumentException(
                "expected the address of a hub such as " + DEFAULT + ", found \"" + text.strip() + "\"");
    }

    /// An address below this one; the segments are percent-encoded.
    URI resolve(List<String> segments, String query) {
        return URI
                .create(uri + "/" + segments.stream().map(HubAddress::encode).collect(Collectors.joining("/")) + query);
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    public String host() {
        return uri.getHost();
    }

    /// Scheme, host and port: an access token is only sent to the origin it was entered for.
    public String origin() {
        return origin(uri);
    }

    static String origin(URI uri) {
        String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
        int port = uri.getPort() >= 0 ? uri.getPort() : scheme.equals("https") ? 443 : 80;
        return scheme + "://" + String.valueOf(uri.getHost()).toLowerCase(Locale.ROOT) + ":" + port;
    }

    /// Whether a token may be sent: the connection is encrypted, or stays on this machine.
    public boolean isConfidential() {
        return origin().startsWith("https:") || LOOPBACK.contains(host().toLowerCase(Locale.ROOT));
    }

    @Override
    public String toString() {
        return uri.toString();
    }
}
