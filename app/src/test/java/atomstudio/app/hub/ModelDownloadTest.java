package atomstudio.app.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.HubConnection.Patience;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import atomstudio.diffusion.model.DiffusionModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// Downloads from a local server that answers like the hub.
class ModelDownloadTest {
    private static final Patience PATIENCE = new Patience(Duration.ofSeconds(2), Duration.ofMillis(600), 3,
            Duration.ofMillis(10));
    private static final Cancellation NEVER = () -> false;
    private static final String WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

    @TempDir
    private Path home;

    private FakeHub hub;
    private final List<ModelDownload.Progress> progress = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        hub = FakeHub.start();
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private HubClient client(String... token) {
        return new HubClient(hub.address(), Stream.of(token).map(HubToken::new).findFirst(), HubProxy.SYSTEM, PATIENCE);
    }

    /// The embedded model, with the copies for other programs that public repositories have.
    private FakeHub.Repository embeddedModel() throws Exception {
        return hub.repository("atom/small")
                .addFolder(Assets.find().defaultModel())
                .add("unet/diffusion_pytorch_model.bin", "pickle")
                .add("text_encoder/flax_model.msgpack", "flax");
    }

    /// A repository of one configuration and one large file, whose content is not a model.
    private byte[] largeFile(int size) throws Exception {
        byte[] content = new byte[size];
        new Random(7).nextBytes(content);
        hub.repository("atom/large").add("unet/config.json", "{}").add("model_index.json", "{}").files.put(WEIGHTS,
                content);
        return content;
    }

    private DownloadPlan largePlan() throws Exception {
        HubRepository repository = client().repository(RepositoryId.parse("atom/large", ""), NEVER);
        return new DownloadPlan(repository, new DownloadPlan.Choice.Folder(""), repository.files());
    }

    private Path download(DownloadPlan plan) throws Exception {
        return new ModelDownload(client(), plan, target()).run(progress::add, NEVER);
    }

    private Path target() {
        return home.resolve("models/atom/large");
    }

    private static Failure.Remote assertRemote(Reason reason, String text,
            Executable run) {
        Failure.Remote failure = assertThrows(Failure.Remote.class, run);
        assertEquals(reason, failure.reason(), failure.getMessage());
        assertTrue(failure.getMessage().contains(text), failure.getMessage());
        return failure;
    }

    @Test
    void embeddedModelIsDownloadedAndOpens() throws Exception {
        embeddedModel();
        ModelOffer offer = ModelOffer.find(client(), RepositoryId.parse("atom/small", ""), NEVER);
        assertEquals("creativeml-openrail-m", offer.repository().licence().name());
        assertEquals(128, offer.facts().orElseThrow().imageSize());
        DownloadedModels models = new DownloadedModels(home.resolve("models"));
        DownloadPlan plan = offer.plan("", "");
        Path folder = new ModelDownload(client(), plan, models.target(plan)).run(progress::add, NEVER);
        assertEquals(home.resolve("models/atom/small"), folder);
        assertEquals(List.of(folder), models.models());
        assertEquals(List.of(), models.unfinished());
        assertEquals(128, DiffusionModel.open(folder).defaultImageSize());
        DiffusionModel.open(folder).tokenizer();
        try (Stream<Path> all = Files.walk(home)) {
            List<String> names = all.map(path -> path.getFileName().toString()).toList();
            assertTrue(names.stream()
                    .noneMatch(name -> name.startsWith(".") || name.endsWith(".part")
                            || name.endsWith(".bin") || name.endsWith(".msgpack") || name.endsWith(".lock")),
                    names.toString());
        }
        for (HubFile file : plan.files())
            assertArrayEquals(hub.repository("atom/small").files.get(file.path()),
                    Files.readAllBytes(folder.resolve(file.path())));
        assertEquals(plan.size(), progress.getLast().done());
        assertEquals(plan.size(), progress.getLast().total());
        int requests = hub.received.size();
        assertEquals(folder, new ModelDownload(client(), plan, folder).run(progress::add, NEVER));
        assertEquals(requests, hub.received.size(), "a complete model is not downloaded again");
    }

    @Test
    void cancelledDownloadContinuesAtItsByte() throws Exception {
        byte[] content = largeFile(3_000_000);
        DownloadPlan plan = largePlan();
        long[] seen = {0};
        ModelDownload download = new ModelDownload(client(), plan, target());
        assertThrows(CancellationException.class,
                () -> download.run(now -> seen[0] = now.done(), () -> seen[0] > 1_000_000));
        DownloadedModels models = new DownloadedModels(home.resolve("models"));
        assertFalse(Files.exists(target()));
        assertEquals(List.of(), models.models(), "an unfinished download is not a model");
        DownloadedModels.Unfinished unfinished = models.unfinished().getFirst();
        assertEquals("atom/large", unfinished.manifest().id().toString());
        assertEquals(target(), unfinished.target());
        long existing = new ModelDownload(client(), plan, target()).existingBytes();
        assertEquals(existing, unfinished.done());
        assertTrue(existing > 1_000_000 && existing < content.length, existing + " bytes");
        hub.received.clear();
        download(plan);
        assertArrayEquals(content, Files.readAllBytes(target().resolve(WEIGHTS)));
        assertTrue(hub.requests(WEIGHTS).getLast().range().matches("bytes=[1-9]\\d{5,}-"),
                hub.requests(WEIGHTS).toString());
        assertEquals(List.of(), hub.requests("unet/config.json"), "a verified file is kept");
    }

    @Test
    void changedRepositoryReplacesOnlyTheChangedFiles() throws Exception {
        largeFile(3_000_000);
        long[] seen = {0};
        ModelDownload download = new ModelDownload(client(), largePlan(), target());
        assertThrows(CancellationException.class,
                () -> download.run(now -> seen[0] = now.done(), () -> seen[0] > 1_000_000));
        byte[] changed = new byte[2_000_000];
        hub.repository("atom/large").files.put(WEIGHTS, changed);
        hub.repository("atom/large").commit = "f".repeat(40);
        download(largePlan());
        assertArrayEquals(changed, Files.readAllBytes(target().resolve(WEIGHTS)));
    }

    @Test
    void brokenConnectionResumes() throws Exception {
        byte[] content = largeFile(2_000_000);
        for (int part = 0; part < 4; part++) {
            hub.addFault(WEIGHTS, (exchange, bytes) -> {
                String range = exchange.getRequestHeaders().getFirst("Range");
                int from = range == null ? 0 : Integer.parseInt(range.replaceAll("\\D+", ""));
                if (range != null)
                    exchange.getResponseHeaders()
                            .set("Content-Range", "bytes " + from + "-" + (bytes.length - 1) + "/" + bytes.length);
                exchange.sendResponseHeaders(range == null ? 200 : 206, bytes.length - from);
                exchange.getResponseBody().write(bytes, from, 300_000);
                exchange.getResponseBody().flush();
            });
        }
        download(largePlan());
        assertArrayEquals(content, Files.readAllBytes(target().resolve(WEIGHTS)));
        assertEquals(5, hub.requests("/stored/atom/large/" + WEIGHTS).size());
        assertEquals("bytes=1200000-", hub.received.getLast().path().endsWith(WEIGHTS)
                ? hub.received.getLast().range()
                : hub.requests(WEIGHTS).getLast().range());
    }

    @Test
    void serverWithoutRangesStartsAgain() throws Exception {
        byte[] content = largeFile(1_000_000);
        Path part = ModelDownload.partialFolder(target()).resolve(WEIGHTS + ".part");
        new DownloadManifest(hub.address().toString(), largePlan().repository().id(), "c", "", largePlan().choice(),
                largePlan().files()).write(Files.createDirectories(part.getParent()).getParent());
        Files.write(part, Arrays.copyOf(content, 400_000));
        hub.addFault(WEIGHTS, (exchange, bytes) -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        });
        download(largePlan());
        assertEquals("bytes=400000-", hub.requests(WEIGHTS).getLast().range());
        assertArrayEquals(content, Files.readAllBytes(target().resolve(WEIGHTS)));
    }

    @Test
    void overloadedServerIsTriedAgain() throws Exception {
        largeFile(200_000);
        hub.addFault(WEIGHTS, (exchange, bytes) -> {
            exchange.getResponseHeaders().set("Retry-After", "0");
            FakeHub.error(exchange, 429, "", "slow down");
        });
        hub.addFault(WEIGHTS, (exchange, bytes) -> FakeHub.error(exchange, 503, "", "later"));
        download(largePlan());
        assertEquals(3, hub.requests("/stored/atom/large/" + WEIGHTS).size());
        for (int attempt = 0; attempt < 3; attempt++)
            hub.apiFaults.add((exchange, bytes) -> FakeHub.error(exchange, 502, "", "bad gateway"));
        assertRemote(Reason.BUSY, "127.0.0.1 is overloaded or out of order (HTTP 502)", this::largePlan);
    }

    @Test
    void stalledConnectionIsTriedAgain() throws Exception {
        byte[] content = largeFile(500_000);
        hub.addFault(WEIGHTS, (exchange, bytes) -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes, 0, 100_000);
            exchange.getResponseBody().flush();
            sleep(1500);
        });
        download(largePlan());
        assertArrayEquals(content, Files.readAllBytes(target().resolve(WEIGHTS)));
    }

    @Test
    void stalledConnectionCanBeCancelled() throws Exception {
        largeFile(500_000);
        hub.addFault(WEIGHTS, (exchange, bytes) -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes, 0, 1000);
            exchange.getResponseBody().flush();
            sleep(5000);
        });
        HubClient patient = new HubClient(hub.address(), Optional.empty(), HubProxy.SYSTEM,
                new Patience(Duration.ofSeconds(5), Duration.ofSeconds(60), 3, Duration.ofSeconds(1)));
        long start = System.nanoTime();
        ModelDownload download = new ModelDownload(patient, largePlan(), target());
        assertThrows(CancellationException.class,
                () -> download.run(progress::add, () -> System.nanoTime() - start > 500_000_000L));
        assertTrue(System.nanoTime() - start < 3_000_000_000L);
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void wrongChecksumRemovesTheFile() throws Exception {
        largeFile(300_000);
        hub.addFault(WEIGHTS, (exchange, bytes) -> hub.serve(exchange, new byte[bytes.length]));
        assertRemote(Reason.UNEXPECTED_ANSWER, "damaged: expected SHA-256 ", () -> download(largePlan()));
        Path partial = ModelDownload.partialFolder(target());
        assertTrue(Files.exists(partial.resolve("unet/config.json")));
        assertFalse(Files.exists(partial.resolve(WEIGHTS)));
        assertFalse(Files.exists(partial.resolve(WEIGHTS + ".part")));
        download(largePlan());
    }

    @Test
    void wrongLengthIsRejected() throws Exception {
        largeFile(300_000);
        hub.addFault(WEIGHTS, (exchange, bytes) -> hub.serve(exchange, new byte[bytes.length - 1]));
        assertRemote(Reason.UNEXPECTED_ANSWER, "expected 300000 bytes, the server announces 299999",
                () -> download(largePlan()));
        hub.addFault(WEIGHTS, (exchange, bytes) -> {
            exchange.sendResponseHeaders(200, 0); // chunked
            exchange.getResponseBody().write(new byte[bytes.length + 1]);
        });
        assertRemote(Reason.UNEXPECTED_ANSWER, "expected 300000 bytes, the server sends more",
                () -> download(largePlan()));
    }

    @Test
    void truncatedBodyIsReportedAfterTheAttempts() throws Exception {
        largeFile(300_000);
        for (int attempt = 0; attempt < 3; attempt++) {
            hub.addFault(WEIGHTS, (exchange, bytes) -> {
                exchange.sendResponseHeaders(200, 0); // chunked, but too short
            });
        }
        assertRemote(Reason.NO_CONNECTION, "atom/large: " + WEIGHTS + ": 127.0.0.1 ended the connection (after 0 of",
                () -> download(largePlan()));
    }

    @Test
    void webPageInPlaceOfAFileIsRejected() throws Exception {
        largeFile(300_000);
        hub.addFault(WEIGHTS, (exchange, bytes) -> FakeHub.send(exchange, 200, "text/html", "<html>".getBytes()));
        assertRemote(Reason.UNEXPECTED_ANSWER, "sends a web page", () -> download(largePlan()));
    }

    @Test
    void fullDiskIsReportedBeforeTheDownload() throws Exception {
        largeFile(3_000_000);
        DownloadPlan plan = largePlan();
        hub.received.clear();
        ModelDownload download = new ModelDownload(client(), plan, target(), folder -> 1_000_000);
        Failure failure = assertThrows(Failure.Unwritable.class, () -> download.run(progress::add, NEVER));
        assertTrue(failure.getMessage().contains("too little space: expected 3.0 MB, found 1.0 MB"),
                failure.getMessage());
        assertEquals(List.of(), hub.received);
    }

    @Test
    void otherFolderIsNotOverwritten() throws Exception {
        largeFile(1000);
        Files.createDirectories(target());
        DownloadPlan plan = largePlan();
        Failure failure = assertThrows(Failure.Conflict.class, () -> download(plan));
        assertTrue(failure.getMessage().contains("already exists, and was not downloaded"), failure.getMessage());
    }

    @Test
    void secondDownloadOfTheSameModelIsRejected() throws Exception {
        largeFile(2_000_000);
        DownloadPlan plan = largePlan();
        List<Failure> failures = new ArrayList<>();
        new ModelDownload(client(), plan, target()).run(now -> {
            if (!failures.isEmpty()) return;
            failures.add(assertThrows(Failure.Conflict.class, () -> download(plan)));
        }, NEVER);
        assertTrue(failures.getFirst().getMessage().contains("being downloaded already"));
    }

    @Test
    void unfinishedDownloadCanBeDiscarded() throws Exception {
        largeFile(3_000_000);
        long[] seen = {0};
        ModelDownload download = new ModelDownload(client(), largePlan(), target());
        assertThrows(CancellationException.class,
                () -> download.run(now -> seen[0] = now.done(), () -> seen[0] > 1_000_000));
        DownloadedModels models = new DownloadedModels(home.resolve("models"));
        models.discard(models.unfinished().getFirst());
        assertEquals(List.of(), models.unfinished());
        assertFalse(Files.exists(ModelDownload.partialFolder(target())));
    }
}
