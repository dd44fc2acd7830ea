package atomstudio.app.hub;

import atomstudio.app.hub.HubConnection.Patience;
import atomstudio.app.hub.HubConnection.Request;
import atomstudio.app.hub.HubRepository.ListedFile;
import atomstudio.app.hub.HubRepository.Listing;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import atomstudio.diffusion.json.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalLong;

/// Reads repositories of a hub. Thread-safe; requests end when their job is cancelled.
/// Source: huggingface_hub 2.4, `HfApi.model_info` and `get_hf_file_metadata`.
public final class HubClient implements AutoCloseable {
    private static final int MAX_LISTING = 32 << 20;

    private final HubConnection connection;

    /// @param token sent to this address only, and only over an encrypted connection
    /// @param proxy of the settings; empty: that of the environment
    public HubClient(HubAddress address, Optional<HubToken> token, Optional<HubProxy.ProxyAddress> proxy) {
        this(address, token, HubProxy.of(proxy), Patience.DEFAULT);
    }

    HubClient(HubAddress address, Optional<HubToken> token, HubProxy proxy, Patience patience) {
        connection = new HubConnection(address, token, proxy, patience);
    }

    public HubAddress address() {
        return connection.address();
    }

    HubConnection connection() {
        return connection;
    }

    /// The repository's page for people: conditions, model card.
    public URI page(RepositoryId id) {
        return address().resolve(id.parts(), "");
    }

    /// Facts and files of a repository.
    public HubRepository repository(RepositoryId id, Cancellation cancellation) throws Failure, InterruptedException {
        List<String> path = new ArrayList<>(List.of("api", "models"));
        path.addAll(id.parts());
        path.addAll(List.of("revision", id.revision()));
        Request request = Request.get(address().resolve(path, "?blobs=true"), id.toString());
        Listing listing = new Listing(id, readJson(request, cancellation));
        String commit = listing.commit();
        List<HubFile> files = new ArrayList<>();
        for (ListedFile file : listing.files()) {
            boolean isComplete = file.size().isPresent() && file.checksum().isPresent();
            files.add(isComplete ? new HubFile(file.path(), file.size().get(), file.checksum().get())
                    : describe(id, commit, file.path(), cancellation));
        }
        return new HubRepository(id, commit, listing.licence(), listing.gated(), listing.card(), files);
    }

    private Json readJson(Request request, Cancellation cancellation) throws Failure, InterruptedException {
        return connection.retry(request.what(), cancellation, () -> {
            HttpResponse<ResponseBody> response = connection.send(request, cancellation);
            byte[] body = response.body().readAll(MAX_LISTING, connection.patience().stall(), cancellation);
            String text = new String(body, StandardCharsets.UTF_8);
            if (isWebPage(response.headers()) || text.stripLeading().startsWith("<")) throw webPage(request.what());
            try {
                return Json.parse(request.what() + ": the hub's answer", text);
            } catch (Failure.Unreadable damaged) {
                throw new Failure.Remote(Reason.UNEXPECTED_ANSWER, damaged.getMessage(), damaged);
            }
        });
    }

    static boolean isWebPage(HttpHeaders headers) {
        return headers.firstValue("Content-Type").orElse("").startsWith("text/html");
    }

    Failure.Remote webPage(String what) {
        return new Failure.Remote(Reason.UNEXPECTED_ANSWER, what + ": " + address()
                + " sends a web page instead of the hub's data: it is not the address of a hub, or a login page of "
                + "the network is in between");
    }

    /// Size and checksum of a file by its headers, for mirrors whose listing has only names.
    private HubFile describe(RepositoryId id, String commit, String path, Cancellation cancellation)
            throws Failure, InterruptedException {
        Request request = Request.head(fileAddress(id, commit, path), id + ": " + path);
        HttpHeaders headers = connection.retry(request.what(), cancellation, () -> {
            HttpResponse<ResponseBody> response = connection.send(request, cancellation);
            response.body().close();
            return response.headers();
        });
        String etag = headers.firstValue("X-Linked-Etag").or(() -> headers.firstValue("ETag")).orElse("");
        OptionalLong size = headers.firstValueAsLong("X-Linked-Size");
        if (size.isEmpty()) size = headers.firstValueAsLong("Content-Length");
        try {
            return new HubFile(path, size.orElseThrow(),
                    HubFile.Checksum.parse(etag.replaceFirst("^W/", "").replace("\"", "")));
        } catch (IllegalArgumentException | NoSuchElementException e) {
            throw new Failure.Remote(Reason.UNEXPECTED_ANSWER, request.what()
                    + ": the hub reports no size or no checksum, so a download could not be verified", e);
        }
    }

    URI fileAddress(RepositoryId id, String commit, String path) {
        List<String> segments = new ArrayList<>(id.parts());
        segments.addAll(List.of("resolve", commit));
        segments.addAll(List.of(path.split("/")));
        return address().resolve(segments, "");
    }

    /// The content of a small file, verified.
    byte[] content(HubRepository repository, HubFile file, Cancellation cancellation)
            throws Failure, InterruptedException {
        String what = repository.id() + ": " + file.path();
        byte[] content = connection.retry(what, cancellation, () -> {
            HttpResponse<ResponseBody> response = connection.send(
                    Request.get(fileAddress(repository.id(), repository.commit(), file.path()), what), cancellation);
            return response.body()
                    .readAll(Math.toIntExact(file.size()) + 1, connection.patience().stall(), cancellation);
        });
        String found = HexFormat.of().formatHex(file.checksum().digest(file.size()).digest(content));
        if (content.length != file.size() || !found.equals(file.checksum().hex()))
            throw new Failure.Remote(Reason.UNEXPECTED_ANSWER, what + ": expected " + file.size() + " bytes with "
                    + file.checksum() + ", found " + content.length + " other bytes");
        return content;
    }

    /// The first bytes of a file, not verified.
    byte[] beginning(HubRepository repository, HubFile file, int length, Cancellation cancellation)
            throws Failure, InterruptedException {
        String what = repository.id() + ": " + file.path();
        Request request = Request.get(fileAddress(repository.id(), repository.commit(), file.path()), what)
                .range(OptionalLong.of(0), OptionalLong.of(length - 1));
        return connection.retry(what, cancellation, () -> {
            HttpResponse<ResponseBody> response = connection.send(request, cancellation);
            if (response.statusCode() != 206) {
                response.body().close();
                throw new IOException("without support for parts of a file");
            }
            return response.body().readAll(length, connection.patience().stall(), cancellation);
        });
    }

    @Override
    public void close() {
        connection.close();
    }
}
