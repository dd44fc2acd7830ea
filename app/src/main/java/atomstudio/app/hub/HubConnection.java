package atomstudio.app.hub;

import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// HTTP requests to a hub: redirects, access token, timeouts, retries and the meaning of errors.
///
/// Redirects are followed here and not by Java's client, which would not know where the token may go: it is only sent
/// to the hub's own origin, and the servers that store large files never receive it.
/// Source: huggingface_hub 2.4, `utils/_http.py` and `file_download.py`.
final class HubConnection implements AutoCloseable {
    private static final int MAX_REDIRECTS = 10;
    private static final long POLL_MILLIS = 50;
    private static final Duration MAX_WAIT = Duration.ofSeconds(120);
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> TRANSIENT = Set.of(408, 429, 500, 502, 503, 504);

    /// How long to wait, and how often a request is repeated.
    /// @param stall without any data
    /// @param attempts without progress
    /// @param firstWait before the second attempt; doubled for each further one
    public record Patience(Duration connect, Duration stall, int attempts, Duration firstWait) {
        static final Patience DEFAULT = new Patience(Duration.ofSeconds(10), Duration.ofSeconds(30), 5,
                Duration.ofSeconds(1));
    }

    /// A request.
    /// @param what names the repository or file in messages
    /// @param from the first byte to send, for the rest of a file
    record Request(String method, URI uri, String what, OptionalLong from, OptionalLong to) {
        static Request get(URI uri, String what) {
            return new Request("GET", uri, what, OptionalLong.empty(), OptionalLong.empty());
        }

        static Request head(URI uri, String what) {
            return new Request("HEAD", uri, what, OptionalLong.empty(), OptionalLong.empty());
        }

        Request range(OptionalLong first, OptionalLong last) {
            return new Request(method, uri, what, first, last);
        }
    }

    /// A failed attempt that may succeed later.
    static final class TransientException extends IOException {
        private static final long serialVersionUID = 1;
        private final int status;
        private final transient Optional<Duration> retryAfter;

        TransientException(int status, Optional<Duration> retryAfter) {
            super("HTTP " + status);
            this.status = status;
            this.retryAfter = retryAfter;
        }
    }

    /// A request that may be repeated.
    interface Attempt<T> {
        T run() throws IOException, InterruptedException, Failure;
    }

    private final HubAddress address;
    private final Optional<HubToken> token;
    private final Patience patience;
    private final HubProxy proxy;
    private final HttpClient http;

    HubConnection(HubAddress address, Optional<HubToken> token, HubProxy proxy, Patience patience) {
        this.address = address;
        this.token = token.filter(secret -> address.isConfidential());
        this.patience = patience;
        this.proxy = proxy;
        http = proxy.use(HttpClient.newBuilder())
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(patience.connect)
                .build();
    }

    HubAddress address() {
        return address;
    }

    Patience patience() {
        return patience;
    }

    /// Sends a request and follows redirects; a HEAD request stops at the first redirect to another origin, since the
    /// hub's own headers are on it.
    /// @return status 200, 206 or 416, or a redirect in answer to HEAD
    /// @throws IOException if repeating may help
    HttpResponse<ResponseBody> send(Request request, Cancellation cancellation)
            throws IOException, InterruptedException, Failure.Remote {
        URI uri = request.uri;
        for (int redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
            HttpResponse<ResponseBody> response = sendOnce(request, uri, cancellation);
            int status = response.statusCode();
            if (status == 200 || status == 206 || status == 416) return response;
            response.body().close();
            if (!REDIRECTS.contains(status)) throw error(request, response);
            URI target = redirectTarget(request, uri, response.headers());
            if (request.method.equals("HEAD") && !isHub(target)) return response;
            uri = target;
        }
        throw new Failure.Remote(Reason.UNEXPECTED_ANSWER,
                request.what + ": " + address.host() + " redirects in a circle");
    }

    private HttpResponse<ResponseBody> sendOnce(Request request, URI uri, Cancellation cancellation)
            throws IOException, InterruptedException {
        HttpRequest.Builder builder = HttpRequest.newBuilder(uri)
                .method(request.method, HttpRequest.BodyPublishers.noBody())
                .timeout(patience.stall)
                .header("User-Agent", "atomstudio/" + BuildInfo.current().version())
                .header("Accept-Encoding", "identity");
        if (token.isPresent() && isHub(uri)) builder.header("Authorization", "Bearer " + token.get().value());
        if (request.from.isPresent())
            builder.header("Range", "bytes=" + request.from.getAsLong() + "-"
                    + (request.to.isPresent() ? request.to.getAsLong() : ""));
        CompletableFuture<HttpResponse<ResponseBody>> answer = http.sendAsync(builder.build(),
                info -> new ResponseBody());
        while (true) {
            try {
                return answer.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException waiting) {
                if (cancellation.isRequested()) answer.cancel(true);
                cancellation.throwIfRequested();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            }
        }
    }

    private boolean isHub(URI uri) {
        return HubAddress.origin(uri).equals(address.origin());
    }

    private static URI redirectTarget(Request request, URI from, HttpHeaders headers) throws Failure.Remote {
        String location = headers.firstValue("Location").orElse("");
        try {
            URI target = from.resolve(location);
            boolean isEncrypted = "https".equalsIgnoreCase(target.getScheme());
            boolean isDowngrade = "https".equalsIgnoreCase(from.getScheme()) && !isEncrypted;
            boolean isWeb = isEncrypted || "http".equalsIgnoreCase(target.getScheme());
            if (!location.isEmpty() && isWeb && !isDowngrade && target.getHost() != null) return target;
        } catch (IllegalArgumentException malformed) {
            // Reported below.
        }
        throw new Failure.Remote(Reason.UNEXPECTED_ANSWER, request.what + ": " + from.getHost()
                + " redirects to an address that is not an encrypted web address; a login page of the network may be "
                + "in between");
    }

    private IOException error(Request request, HttpResponse<?> response) throws Failure.Remote {
        if (!TRANSIENT.contains(response.statusCode())) throw HubErrors.of(request.what, response, token.isPresent());
        return new TransientException(response.statusCode(), HubErrors.retryAfter(response.headers()));
    }

    /// Repeats a request after transient errors. Without any connection it fails at once.
    <T> T retry(String what, Cancellation cancellation, Attempt<T> attempt) throws InterruptedException, Failure {
        for (int count = 1;; count++) {
            try {
                return attempt.run();
            } catch (IOException e) {
                if (count == patience.attempts || HubErrors.isUnreachable(e)) throw failure(what, e);
                pause(count, e, cancellation);
            }
        }
    }

    /// Waits before the next attempt.
    /// @param count of failed attempts
    void pause(int count, IOException error, Cancellation cancellation) throws InterruptedException {
        Duration wait = patience.firstWait.multipliedBy(1L << Math.min(count - 1, 6));
        if (error instanceof TransientException known && known.retryAfter.isPresent())
            wait = known.retryAfter.get().plus(patience.firstWait);
        if (wait.compareTo(MAX_WAIT) > 0) wait = MAX_WAIT;
        for (long end = System.nanoTime() + wait.toNanos(); System.nanoTime() < end;) {
            cancellation.throwIfRequested();
            Thread.sleep(Math.min(POLL_MILLIS, 1 + (end - System.nanoTime()) / 1_000_000));
        }
    }

    /// The failure after the last attempt.
    Failure.Remote failure(String what, IOException e) {
        if (e instanceof TransientException known)
            return new Failure.Remote(Reason.BUSY, what + ": " + address.host()
                    + (known.status == 429 ? " limits the number of requests at the moment"
                            : " is overloaded or out of order (HTTP " + known.status + ")"),
                    e);
        String problem = HubErrors.isUnreachable(e) ? HubErrors.unreachable(e)
                : e instanceof HttpTimeoutException ? "sends nothing any more"
                : "ended the connection (" + e.getMessage() + ")";
        // Without the proxy the host is not connected to at all.
        String host = proxy.proxy(address.uri()).map(used -> "the proxy " + used.hostAndPort()).orElse(address.host());
        return new Failure.Remote(Reason.NO_CONNECTION, what + ": " + host + " " + problem, e);
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
