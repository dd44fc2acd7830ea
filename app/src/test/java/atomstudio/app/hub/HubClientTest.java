package atomstudio.app.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.app.hub.HubConnection.Patience;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.Assets;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/// Looking a repository up: access, revisions, errors, and what is sent to which server.
class HubClientTest {
    private static final Patience PATIENCE = new Patience(Duration.ofSeconds(2), Duration.ofSeconds(2), 2,
            Duration.ofMillis(10));
    private static final Cancellation NEVER = () -> false;

    @TempDir
    private Path home;

    private FakeHub hub;

    @BeforeEach
    void start() throws Exception {
        hub = FakeHub.start();
        hub.repository("atom/small").addFolder(Assets.find().defaultModel());
    }

    @AfterEach
    void stop() {
        hub.close();
    }

    private HubClient client(String... token) {
        return new HubClient(hub.address(), Stream.of(token).map(HubToken::new).findFirst(), HubProxy.SYSTEM, PATIENCE);
    }

    private ModelOffer find(String repository, String... token) throws Exception {
        return ModelOffer.find(client(token), RepositoryId.parse(repository, ""), NEVER);
    }

    private static void assertRemote(Reason reason, String text, Executable run) {
        Failure.Remote failure = assertThrows(Failure.Remote.class, run);
        assertEquals(reason, failure.reason(), failure.getMessage());
        assertTrue(failure.getMessage().contains(text), failure.getMessage());
    }

    private static void assertIncompatible(String text, Executable run) {
        String message = assertThrows(Failure.Incompatible.class, run).getMessage();
        assertTrue(message.contains(text), message);
    }

    @Test
    void tokenIsSentToTheHubOnly() throws Exception {
        DownloadPlan plan = find("atom/small", FakeHub.TOKEN).plan("", "");
        new ModelDownload(client(FakeHub.TOKEN), plan, home.resolve("model")).run(now -> {}, NEVER);
        List<FakeHub.Received> stored = hub.received.stream()
                .filter(request -> request.server().equals("storage"))
                .toList();
        assertEquals(4, stored.size());
        assertTrue(stored.stream().allMatch(request -> request.authorization().isEmpty()), stored.toString());
        assertTrue(hub.received.stream()
                .filter(request -> request.server().equals("hub"))
                .allMatch(request -> request.authorization().equals("Bearer " + FakeHub.TOKEN)));
        try (Stream<Path> files = Files.walk(home)) {
            for (Path file : files.filter(Files::isRegularFile).toList())
                assertFalse(new String(Files.readAllBytes(file)).contains(FakeHub.TOKEN), file.toString());
        }
    }

    @Test
    void gatedRepositoryNamesTheReason() throws Exception {
        hub.repository("atom/small").gated = true;
        assertRemote(Reason.TOKEN_REQUIRED, "require that you accept their conditions", () -> find("atom/small"));
        assertRemote(Reason.TOKEN_INVALID, "mistyped, expired or deleted", () -> find("atom/small", "hf_other"));
        hub.repository("atom/small").accessGranted = false;
        assertRemote(Reason.ACCESS_DENIED, "not accepted yet", () -> find("atom/small", FakeHub.TOKEN));
        hub.repository("atom/small").accessGranted = true;
        assertTrue(find("atom/small", FakeHub.TOKEN).repository().gated());
    }

    @Test
    void missingRepositoryRevisionAndFileAreNamed() throws Exception {
        assertRemote(Reason.NOT_FOUND, "atom/missing: does not exist, or is private", () -> find("atom/missing"));
        assertRemote(Reason.NOT_FOUND, "does not exist, or is private", () -> find("atom/missing", FakeHub.TOKEN));
        RepositoryId wrong = RepositoryId.parse("atom/small", "v9");
        assertRemote(Reason.NOT_FOUND, "atom/small@v9: has no such branch", () -> client().repository(wrong, NEVER));
        RepositoryId tag = RepositoryId.parse("atom/small", "v1.0/fix");
        assertEquals(hub.repository("atom/small").commit, client().repository(tag, NEVER).commit());
    }

    @Test
    void missingNetworkIsAPlainSentence() throws Exception {
        int closedPort;
        try (ServerSocket socket = new ServerSocket(0)) {
            closedPort = socket.getLocalPort();
        }
        RepositoryId id = RepositoryId.parse("atom/small", "");
        HubClient closed = new HubClient(HubAddress.parse("http://127.0.0.1:" + closedPort), Optional.empty(),
                HubProxy.SYSTEM, PATIENCE);
        assertRemote(Reason.NO_CONNECTION, "127.0.0.1 accepts no connection", () -> closed.repository(id, NEVER));
        HubClient unknown = new HubClient(HubAddress.parse("https://hub.invalid"), Optional.empty(),
                HubProxy.SYSTEM, PATIENCE);
        assertRemote(Reason.NO_CONNECTION, "hub.invalid cannot be found: there is no network connection",
                () -> unknown.repository(id, NEVER));
    }

    @Test
    void webPageAndDamagedAnswerAreRejected() {
        hub.apiFaults.add((exchange, bytes) -> FakeHub.send(exchange, 200, "text/html", "<html>Log in".getBytes()));
        assertRemote(Reason.UNEXPECTED_ANSWER, "sends a web page", () -> find("atom/small"));
        hub.apiFaults.add((exchange, bytes) -> FakeHub.send(exchange, 200, "application/json", "{\"sha\"".getBytes()));
        assertRemote(Reason.UNEXPECTED_ANSWER, "expected a JSON object", () -> find("atom/small"));
        hub.apiFaults.add((exchange, bytes) -> {
            exchange.getResponseHeaders().set("Location", "/api/models/atom/small/revision/main");
            hub.apiFaults.add((other, none) -> FakeHub.send(other, 200, "text/html", "<p>".getBytes()));
            exchange.sendResponseHeaders(307, -1);
        });
        assertRemote(Reason.UNEXPECTED_ANSWER, "sends a web page", () -> find("atom/small"));
    }

    @Test
    void redirectsInACircleEnd() {
        for (int count = 0; count < 20; count++) {
            hub.apiFaults.add((exchange, bytes) -> {
                exchange.getResponseHeaders().set("Location", exchange.getRequestURI().toString());
                exchange.sendResponseHeaders(302, -1);
            });
        }
        assertRemote(Reason.UNEXPECTED_ANSWER, "redirects in a circle", () -> find("atom/small"));
    }

    @Test
    void fileNamesOutsideTheFolderAreRefused() {
        hub.repository("atom/small").add("unet/../../../.bashrc", "x");
        assertRemote(Reason.UNEXPECTED_ANSWER, "lists a file named unet/../../../.bashrc", () -> find("atom/small"));
    }

    @Test
    void mirrorWithoutSizesIsReadByHeaders() throws Exception {
        HubRepository listed = client().repository(RepositoryId.parse("atom/small", ""), NEVER);
        hub.repository("atom/small").listsNamesOnly = true;
        assertEquals(listed, client().repository(RepositoryId.parse("atom/small", ""), NEVER));
        assertTrue(hub.received.stream().noneMatch(request -> request.server().equals("storage")));
    }

    @Test
    void repositoryWithoutModelIsDescribed() {
        hub.repository("atom/lora").add("pytorch_lora_weights.bin", "x").card = "{\"base_model\": \"atom/small\"}";
        assertIncompatible("found an adapter (LoRA) for atom/small", () -> find("atom/lora"));
        hub.repository("atom/xl")
                .add("model_index.json",
                        "{\"_class_name\": \"FluxPipeline\", \"unet\": [\"diffusers\", \"X\"]}");
        assertIncompatible("atom/xl/model_index.json: FluxPipeline is not supported", () -> find("atom/xl"));
    }

    @Test
    void singleFileIsCheckedByItsTensorNames() throws Exception {
        String model = "{\"model.diffusion_model.input_blocks.0.0.weight\":{\"dtype\":\"F16\"}}";
        hub.repository("atom/single").files.put("model.safetensors", safetensors(model));
        ModelOffer offer = find("atom/single");
        assertEquals(List.of("model.safetensors"), offer.plans().stream().map(DownloadPlan::title).toList());
        DownloadPlan plan = offer.plan("", "");
        DownloadedModels models = new DownloadedModels(home);
        Path file = new ModelDownload(client(), plan, models.target(plan)).run(now -> {}, NEVER);
        assertEquals(home.resolve("atom/single.model/model.safetensors"), file);
        assertEquals(List.of(file), models.models());
        hub.repository("atom/single").files.put("model.safetensors",
                safetensors("{\"lora_unet_down.weight\":{\"dtype\":\"F16\"}}"));
        assertIncompatible("expected a whole Stable Diffusion model in one file, found other files (diffusers) "
                + "(tensors lora_unet_down.weight, …)", () -> find("atom/single"));
    }

    private static byte[] safetensors(String header) {
        return ByteBuffer.allocate(8 + header.length() + 16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(header.length())
                .put(header.getBytes())
                .array();
    }

    @Test
    void severalFilesMustBeChosenFrom() throws Exception {
        hub.repository("atom/many").files.put("a.safetensors", new byte[10]);
        hub.repository("atom/many").files.put("b.safetensors", new byte[10]);
        ModelOffer offer = find("atom/many");
        assertIncompatible("one must be chosen: a.safetensors, b.safetensors", () -> offer.plan("", ""));
        assertIncompatible("has no model file c.safetensors; it has: a.safetensors",
                () -> offer.plan("", "c.safetensors"));
        assertEquals("b.safetensors", offer.plan("", "b.safetensors").title());
        assertIncompatible("has no variant fp16; it has: Folder, as published",
                () -> find("atom/small").plan("fp16", ""));
    }

    @Test
    void tokenBelongsToItsOrigin() throws IOException, Failure {
        System.setProperty(StudioFolder.PROPERTY, home.toString());
        try {
            Path file = home.resolve("hub.json");
            HubSettings.DEFAULT.with(Optional.of(new HubToken("hf_one"))).write(file);
            HubSettings read = HubSettings.read(file);
            assertEquals("hf_one", read.token().orElseThrow().value());
            assertEquals(Optional.empty(), read.with(HubAddress.parse("https://mirror.example")).token());
            assertEquals(Optional.empty(), read.with(Optional.empty()).token());
            assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
            Files.writeString(file, "{\"tokens\": 3");
            assertEquals(HubSettings.DEFAULT, HubSettings.read(file));
        } finally {
            System.clearProperty(StudioFolder.PROPERTY);
        }
    }
}
