package atomstudio.app.hub;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import atomstudio.diffusion.SafeText;
import java.io.IOException;
import java.net.ConnectException;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;

/// What the hub's errors mean.
/// Source: huggingface_hub 2.4, `hf_raise_for_status` and `parse_ratelimit_headers`.
final class HubErrors {
    private static final Pattern RATE_LIMIT = Pattern.compile("\\br\\s*=\\s*0\\s*;\\s*t\\s*=\\s*(\\d{1,6})");

    private HubErrors() {}

    /// @param what names the repository or file
    static Failure.Remote of(String what, HttpResponse<?> response, boolean hasToken) {
        String code = response.headers().firstValue("X-Error-Code").orElse("");
        String message = response.headers().firstValue("X-Error-Message").orElse("");
        return switch (response.statusCode()) {
            case 401 -> unauthorized(what, code, message, hasToken);
            case 403 -> forbidden(what, code, message);
            case 404, 410 -> notFound(what, code);
            case 407 -> new Failure.Remote(Reason.ACCESS_DENIED, what
                    + ": the proxy needs a user name and a password: http://USER:PASSWORD@HOST:PORT");
            default -> new Failure.Remote(Reason.UNEXPECTED_ANSWER, what + ": the hub answers with HTTP "
                    + response.statusCode() + (message.isEmpty() ? "" : " (" + SafeText.of(message) + ")"));
        };
    }

    /// Also the hub's answer for a repository that does not exist, if there is no token.
    private static Failure.Remote unauthorized(String what, String code, String message, boolean hasToken) {
        if (message.startsWith("Invalid credentials"))
            return new Failure.Remote(Reason.TOKEN_INVALID,
                    what + ": the hub does not accept the access token: it is mistyped, expired or deleted");
        if (!code.equals("GatedRepo")) return notFound(what, code);
        return hasToken ? forbidden(what, code, message)
                : new Failure.Remote(Reason.TOKEN_REQUIRED, what + ": its authors require that you accept their "
                        + "conditions, so the hub needs an access token");
    }

    private static Failure.Remote forbidden(String what, String code, String message) {
        if (code.equals("GatedRepo"))
            return new Failure.Remote(Reason.ACCESS_DENIED,
                    what + ": its authors' conditions are not accepted yet by the account of your access token, or "
                            + "the authors have not granted access");
        if (message.startsWith("Access to this resource is disabled"))
            return new Failure.Remote(Reason.ACCESS_DENIED, what + ": the hub has disabled access to it");
        return new Failure.Remote(Reason.ACCESS_DENIED,
                what + ": access is denied" + (message.isEmpty() ? "" : " (" + SafeText.of(message) + ")"));
    }

    private static Failure.Remote notFound(String what, String code) {
        return new Failure.Remote(Reason.NOT_FOUND, what + switch (code) {
            case "RevisionNotFound" -> ": has no such branch, tag or commit";
            case "EntryNotFound" -> ": the file does not exist at this commit";
            default -> ": does not exist, or is private";
        });
    }

    /// The wait that the server demands, in whole seconds.
    static Optional<Duration> retryAfter(HttpHeaders headers) {
        Matcher limit = RATE_LIMIT.matcher(headers.firstValue("RateLimit").orElse(""));
        if (limit.find()) return Optional.of(Duration.ofSeconds(Long.parseLong(limit.group(1))));
        return headers.firstValue("Retry-After")
                .filter(value -> value.matches("\\d{1,6}"))
                .map(value -> Duration.ofSeconds(Long.parseLong(value)));
    }

    /// Whether there was no connection at all.
    static boolean isUnreachable(IOException e) {
        return e instanceof ConnectException || e instanceof UnknownHostException || e instanceof SSLException
                || e instanceof HttpConnectTimeoutException;
    }

    /// Why there was no connection, after the name of the host.
    static String unreachable(IOException e) {
        if (e instanceof SSLException)
            return "has no valid certificate (" + e.getMessage() + "), so the connection would not be private";
        for (Throwable cause = e; cause != null; cause = cause.getCause())
            if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException)
                return "cannot be found: there is no network connection, or the address is wrong";
        return e instanceof HttpConnectTimeoutException
                ? "does not answer: there is no network connection, or a firewall blocks it"
                : "accepts no connection: it is switched off, or a firewall blocks it";
    }
}
