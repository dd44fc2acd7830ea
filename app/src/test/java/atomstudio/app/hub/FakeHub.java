package atomstudio.app.hub;

import atomstudio.diffusion.file.Sha256;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/// A local server that answers like the Hugging Face hub, and a second one, another origin, that stores the large
/// files. The next answers for a file can be replaced by faults.
public final class FakeHub implements AutoCloseable {
    public static final String TOKEN = "hf_valid";
    private static final int LFS_SIZE = 100_000;

    /// @param path of the address, without query
    public record Received(String server, String method, String path, String authorization, String range) {}

    /// Answers a request for a file in another way.
    public interface Fault {
        void answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    /// A repository; its fields are set by the test.
    public static final class Repository {
        public final Map<String, byte[]> files = new TreeMap<>();
        public String commit = "0123456789abcdef0123456789abcdef01234567";
        public String card = "{\"license\": \"creativeml-openrail-m\"}";
        public String library = "diffusers";
        public boolean gated;
        public boolean listsNamesOnly;
        public boolean accessGranted = true;

        public Repository add(String path, String content) {
            files.put(path, content.getBytes(StandardCharsets.UTF_8));
            return this;
        }

        public Repository addFolder(Path folder) throws IOException {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path file : all.filter(Files::isRegularFile).toList())
                    files.put(folder.relativize(file).toString().replace('\\', '/'), Files.readAllBytes(file));
            }
            return this;
        }
    }

    public final Map<String, Repository> repositories = new HashMap<>();
    public final List<Received> received = Collections.synchronizedList(new ArrayList<>());
    /// By file path; each is used once.
    public final Map<String, Deque<Fault>> faults = new HashMap<>();
    /// For the next requests to the API.
    public final Deque<Fault> apiFaults = new ArrayDeque<>();
    private volatile int bytesPerSecond = Integer.MAX_VALUE;
    private final HttpServer hub;
    private final HttpServer storage;

    private FakeHub() throws IOException {
        hub = server();
        storage = server();
        hub.createContext("/", exchange -> handle("hub", exchange));
        storage.createContext("/", exchange -> handle("storage", exchange));
    }

    public static FakeHub start() throws IOException {
        FakeHub started = new FakeHub();
        started.hub.start();
        started.storage.start();
        return started;
    }

    /// Serves a model folder until the process is killed: FOLDER REPOSITORY PORTFILE BYTES_PER_SECOND.
    public static void main(String[] arguments) throws IOException {
        FakeHub started = start();
        started.repository(arguments[1]).addFolder(Path.of(arguments[0]));
        started.limitSpeed(Integer.parseInt(arguments[3]));
        Files.writeString(Path.of(arguments[2]), started.address().toString());
    }

    private static HttpServer server() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task);
            thread.setDaemon(true);
            return thread;
        }));
        return server;
    }

    public Repository repository(String id) {
        return repositories.computeIfAbsent(id, added -> new Repository());
    }

    public HubAddress address() {
        return HubAddress.parse("http://127.0.0.1:" + hub.getAddress().getPort());
    }

    public String storageOrigin() {
        return "http://127.0.0.1:" + storage.getAddress().getPort();
    }

    public void limitSpeed(int limit) {
        bytesPerSecond = limit;
    }

    public void addFault(String path, Fault fault) {
        faults.computeIfAbsent(path, added -> new ArrayDeque<>()).add(fault);
    }

    public List<Received> requests(String pathEnd) {
        return received.stream().filter(request -> request.path.endsWith(pathEnd)).toList();
    }

    private void handle(String server, HttpExchange exchange) throws IOException {
        Headers headers = exchange.getRequestHeaders();
        received.add(new Received(server, exchange.getRequestMethod(), exchange.getRequestURI().getPath(),
                Optional.ofNullable(headers.getFirst("Authorization")).orElse(""),
                Optional.ofNullable(headers.getFirst("Range")).orElse("")));
        try (exchange) {
            List<String> segments = Stream.of(exchange.getRequestURI().getRawPath().substring(1).split("/"))
                    .map(segment -> URLDecoder.decode(segment, StandardCharsets.UTF_8))
                    .toList();
            if (segments.getFirst().equals("api")) api(exchange, segments);
            else if (server.equals("storage") || segments.getFirst().equals("cached")) content(exchange, segments);
            else resolve(exchange, segments);
        } catch (UncheckedIOException | IndexOutOfBoundsException e) {
            throw new IOException(e);
        }
    }

    private void api(HttpExchange exchange, List<String> segments) throws IOException {
        if (!apiFaults.isEmpty()) {
            apiFaults.remove().answer(exchange, new byte[0]);
            return;
        }
        int revision = segments.lastIndexOf("revision");
        String id = String.join("/", segments.subList(2, revision));
        Repository repository = repositories.get(id);
        if (!checkAccess(exchange, repository, false)) return;
        if (!List.of("main", "v1.0/fix", repository.commit).contains(segments.get(revision + 1))) {
            error(exchange, 404, "RevisionNotFound", "Invalid rev id");
            return;
        }
        JsonObject json = new JsonObject();
        json.addProperty("id", id);
        json.addProperty("sha", repository.commit);
        if (repository.gated) json.addProperty("gated", "manual");
        else json.addProperty("gated", false);
        json.add("cardData", JsonParser.parseString(repository.card));
        json.addProperty("library_name", repository.library);
        JsonArray siblings = new JsonArray();
        repository.files.forEach((path, content) -> siblings.add(sibling(repository, path, content)));
        json.add("siblings", siblings);
        send(exchange, 200, "application/json; charset=utf-8", json.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static JsonObject sibling(Repository repository, String path, byte[] content) {
        JsonObject sibling = new JsonObject();
        sibling.addProperty("rfilename", path);
        if (repository.listsNamesOnly) return sibling;
        sibling.addProperty("size", content.length);
        sibling.addProperty("blobId", isLfs(path, content) ? "a".repeat(40) : gitSha1(content));
        if (isLfs(path, content)) {
            JsonObject lfs = new JsonObject();
            lfs.addProperty("sha256", Sha256.of(content));
            lfs.addProperty("size", content.length);
            lfs.addProperty("pointerSize", 134);
            sibling.add("lfs", lfs);
        }
        return sibling;
    }

    private static boolean isLfs(String path, byte[] content) {
        return content.length > LFS_SIZE || path.endsWith(".safetensors");
    }

    static String gitSha1(byte[] content) {
        return HexFormat.of()
                .formatHex(new HubFile.Checksum(HubFile.Checksum.Algorithm.GIT_SHA_1, "").digest(content.length)
                        .digest(content));
    }

    /// `/OWNER/NAME/resolve/COMMIT/PATH`: small files are redirected to a path of the same host, large ones to the
    /// storage.
    private void resolve(HttpExchange exchange, List<String> segments) throws IOException {
        int at = segments.indexOf("resolve");
        String id = String.join("/", segments.subList(0, at));
        String path = String.join("/", segments.subList(at + 2, segments.size()));
        Repository repository = repositories.get(id);
        if (!checkAccess(exchange, repository, true)) return;
        byte[] content = repository.files.get(path);
        if (content == null) {
            error(exchange, 404, "EntryNotFound", "Entry not found");
            return;
        }
        Headers headers = exchange.getResponseHeaders();
        headers.set("X-Repo-Commit", repository.commit);
        if (isLfs(path, content)) {
            headers.set("X-Linked-Size", Integer.toString(content.length));
            headers.set("X-Linked-Etag", '"' + Sha256.of(content) + '"');
            headers.set("Location", storageOrigin() + "/stored/" + id + "/" + path + "?signature=1");
        } else {
            headers.set("ETag", '"' + gitSha1(content) + '"');
            headers.set("X-Linked-Size", Integer.toString(content.length));
            headers.set("Location", "/cached/" + id + "/" + path);
        }
        exchange.sendResponseHeaders(isLfs(path, content) ? 302 : 307, -1);
    }

    private boolean checkAccess(HttpExchange exchange, Repository repository, boolean isFile) throws IOException {
        String authorization = exchange.getRequestHeaders().getFirst("Authorization");
        boolean hasToken = ("Bearer " + TOKEN).equals(authorization);
        if (authorization != null && !hasToken) {
            error(exchange, 401, "", "Invalid credentials in Authorization header");
        } else if (repository == null) {
            error(exchange, hasToken ? 404 : 401, "RepoNotFound", hasToken ? "Repository not found"
                    : "Invalid username or password.");
        } else if (repository.gated && isFile && !(hasToken && repository.accessGranted)) {
            error(exchange, hasToken ? 403 : 401, "GatedRepo", "Access to this model is restricted.");
        } else {
            return true;
        }
        return false;
    }

    private void content(HttpExchange exchange, List<String> segments) throws IOException {
        String id = String.join("/", segments.subList(1, 3));
        String path = String.join("/", segments.subList(3, segments.size()));
        byte[] content = repositories.get(id).files.get(path);
        Deque<Fault> queue = faults.getOrDefault(path, new ArrayDeque<>());
        if (!queue.isEmpty()) queue.remove().answer(exchange, content);
        else serve(exchange, content);
    }

    /// A file, or the part in the Range header.
    public void serve(HttpExchange exchange, byte[] content) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        int from = 0;
        int to = content.length - 1;
        if (range != null) {
            String[] bounds = range.replace("bytes=", "").split("-", -1);
            from = Integer.parseInt(bounds[0]);
            if (!bounds[1].isEmpty()) to = Math.min(to, Integer.parseInt(bounds[1]));
            if (from >= content.length) {
                exchange.sendResponseHeaders(416, -1);
                return;
            }
            exchange.getResponseHeaders().set("Content-Range", "bytes " + from + "-" + to + "/" + content.length);
        }
        exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
        exchange.getResponseHeaders().set("ETag", '"' + gitSha1(content) + '"');
        boolean isHead = exchange.getRequestMethod().equals("HEAD");
        if (isHead) exchange.getResponseHeaders().set("Content-Length", Integer.toString(content.length));
        exchange.sendResponseHeaders(range == null ? 200 : 206, isHead ? -1 : to - from + 1);
        if (!isHead) write(exchange.getResponseBody(), content, from, to + 1);
    }

    private void write(OutputStream out, byte[] content, int from, int end) throws IOException {
        int step = Math.max(1, Math.min(1 << 16, bytesPerSecond / 20));
        for (int at = from; at < end; at += step) {
            out.write(content, at, Math.min(step, end - at));
            out.flush();
            if (bytesPerSecond == Integer.MAX_VALUE) continue;
            try {
                Thread.sleep(1000L * step / bytesPerSecond);
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }
    }

    public static void send(HttpExchange exchange, int status, String type, byte[] content) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, content.length == 0 ? -1 : content.length);
        exchange.getResponseBody().write(content);
    }

    public static void error(HttpExchange exchange, int status, String code, String message) throws IOException {
        if (!code.isEmpty()) exchange.getResponseHeaders().set("X-Error-Code", code);
        exchange.getResponseHeaders().set("X-Error-Message", message);
        send(exchange, status, "application/json", ("{\"error\": \"" + message + "\"}").getBytes());
    }

    @Override
    public void close() {
        hub.stop(0);
        storage.stop(0);
    }
}
