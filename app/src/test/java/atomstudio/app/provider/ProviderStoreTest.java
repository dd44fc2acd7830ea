package atomstudio.app.provider;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX) // the packages have libraries for Linux
class ProviderStoreTest {
    private static final Instant NOW = Instant.parse("2026-03-01T10:00:00Z");
    private static final ProviderDevice GPU = new ProviderDevice("fake-gpu", new Hardware("FakeExecutionProvider",
            "Fake", Hardware.Kind.GPU, "Fake 1", OptionalLong.of(8_000_000_000L)), Precision.FLOAT16);

    @TempDir
    Path folder;

    private final FakeProviderTrial trial = new FakeProviderTrial();
    private long freeSpace = Long.MAX_VALUE;

    @BeforeEach
    void hasADevice() {
        trial.devices = List.of(GPU);
    }

    private ProviderStore store() {
        return new ProviderStore(folder.resolve("providers"), () -> NOW, path -> freeSpace);
    }

    private Provider add(Path source) throws Failure, InterruptedException {
        return store().add(source, trial, progress -> {}, () -> false);
    }

    /// Refuses a package and leaves nothing behind.
    private String refuse(Path source, Class<? extends Failure> kind) throws IOException {
        String message = assertThrows(kind, () -> add(source)).getMessage();
        assertEquals(List.of(), content(), message);
        return message;
    }

    private List<Path> content() throws IOException {
        if (!Files.exists(folder.resolve("providers"))) return List.of();
        try (Stream<Path> children = Files.list(folder.resolve("providers"))) {
            return children.toList();
        }
    }

    private Path zip(FakePlugin plugin) throws IOException {
        return plugin.writeZip(folder.resolve("fake.whl"));
    }

    @Test
    void anAddedWheelIsListedWithItsDevices() throws Exception {
        List<ProviderStore.Progress> progress = new ArrayList<>();
        Provider added = store().add(zip(FakePlugin.wheel()), trial, progress::add, () -> false);
        assertEquals("fake 1.2", added.title());
        assertEquals(new Provider.Origin("onnxruntime-ep-fake", "1.2", "fake.whl", NOW), added.origin());
        assertEquals(List.of(GPU), added.devices());
        assertEquals(List.of("fake"), trial.tried);
        assertEquals(new ProviderStore.Progress.Trying(), progress.getLast());
        assertEquals(List.of(added), store().list().providers());
        added.requireUnchanged();
        assertEquals(added.folder(), store().find("fake"));
        assertEquals(
                "no execution provider \"other\" was added; there are fake",
                assertThrows(Failure.Unreadable.class, () -> store().find("other")).getMessage());
    }

    @Test
    void aFolderWithoutMetadataIsNamedAfterItsLibrary() throws Exception {
        Path source = new FakePlugin()
                .with("libonnxruntime_providers_fake_plugin.so.1.8", FakePlugin.library(FakePlugin.thisMachine()))
                .writeFolder(folder.resolve("plugin"));
        Files.createSymbolicLink(source.resolve("libonnxruntime_providers_fake_plugin.so"),
                Path.of("libonnxruntime_providers_fake_plugin.so.1.8"));
        assertEquals("fake", add(source).name());
        Files.createSymbolicLink(source.resolve("outside.so"), Path.of("/etc/hostname"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> add(source)).getMessage().contains("outside.so"));
    }

    @Test
    void whatIsNoPackageIsRefused() throws Exception {
        Path text = Files.writeString(folder.resolve("fake.whl"), "not a wheel");
        assertTrue(refuse(text, Failure.Unreadable.class).contains("expected a Python wheel (.whl), a ZIP archive"));
        assertTrue(refuse(folder.resolve("absent"), Failure.Unreadable.class).contains("no such file"));
        Path wheel = zip(FakePlugin.wheel());
        byte[] bytes = Files.readAllBytes(wheel);
        Files.write(wheel, Arrays.copyOf(bytes, bytes.length / 2));
        assertTrue(refuse(wheel, Failure.Unreadable.class).contains("truncated"));
        assertEquals(List.of(), trial.tried);
    }

    @Test
    void aDamagedFileIsRefused() throws Exception {
        Path wheel = zip(FakePlugin.wheel());
        byte[] bytes = Files.readAllBytes(wheel);
        bytes[120] ^= 0x55; // in the compressed library
        Files.write(wheel, bytes);
        assertTrue(refuse(wheel, Failure.Unreadable.class).contains("libonnxruntime_providers_fake.so is truncated"));
        byte[] library = FakePlugin.library(FakePlugin.thisMachine());
        Path cut = zip(FakePlugin.wheel()
                .with("onnxruntime_ep_fake/libonnxruntime_providers_fake.so",
                        Arrays.copyOf(library, library.length - 150)));
        assertTrue(refuse(cut, Failure.Unreadable.class).contains("truncated or damaged"));
        Path other = zip(FakePlugin.wheel()
                .with("onnxruntime_ep_fake-1.2.dist-info/RECORD",
                        FakePlugin.text("onnxruntime_ep_fake/libonnxruntime_providers_fake.so,sha256=" + "A".repeat(43)
                                + ",1\n")));
        assertTrue(refuse(other, Failure.Unreadable.class).contains("not the file that the wheel lists (RECORD)"));
    }

    @Test
    void filesOutsideThePackageAreRefused() throws Exception {
        for (String name : List.of("../outside.so", "/outside.so", "a/../../outside.so", "C:/outside.so", "a\\b.so"))
            assertTrue(refuse(zip(FakePlugin.wheel().with(name, new byte[1])), Failure.Unreadable.class)
                    .contains("unsafe file name"), name);
        assertFalse(Files.exists(folder.resolve("outside.so")));
    }

    @Test
    void aPackageForAnotherSystemIsRefused() throws Exception {
        for (String platform : List.of("win_amd64", "macosx_14_0_arm64", "manylinux_2_28_riscv64"))
            assertTrue(refuse(zip(FakePlugin.wheel().withMetadata(platform, "")), Failure.Incompatible.class)
                    .contains("for another system"), platform);
        String library = "onnxruntime_ep_fake/libonnxruntime_providers_fake.so";
        String message = refuse(zip(FakePlugin.wheel().with(library, FakePlugin.library(FakePlugin.otherMachine()))),
                Failure.Incompatible.class);
        assertTrue(message.contains("expected a library for Linux"), message);
        assertEquals(List.of(), trial.tried);
    }

    @Test
    void aPackageForAnotherRuntimeIsRefused() throws Exception {
        String platform = "any";
        String message = refuse(
                zip(FakePlugin.wheel().withMetadata(platform, "Requires-Dist: onnxruntime (>=1.99,<2)\n")),
                Failure.Incompatible.class);
        assertTrue(message.contains("found >=1.99, <2"), message);
        message = refuse(zip(FakePlugin.wheel().withMetadata(platform, "\npip install \"onnxruntime>=2.1.0\"\n")),
                Failure.Incompatible.class);
        assertTrue(message.contains("found >=2.1.0"), message);
        assertEquals("fake", add(zip(FakePlugin.wheel()
                .withMetadata(platform, "Requires-Dist: onnxruntime>=1.23; python_version > '3'\n"))).name());
    }

    @Test
    void aPackageHasOneProvider() throws Exception {
        String library = "onnxruntime_ep_fake/libonnxruntime_providers_fake.so";
        String message = refuse(zip(FakePlugin.wheel()
                .without(library)
                .withMetadata("any",
                        "Requires-Dist: onnxruntime-ep-fake-cu13\n")),
                Failure.Incompatible.class);
        assertTrue(message.contains("CreateEpFactories"), message);
        assertTrue(message.contains("it requires onnxruntime-ep-fake-cu13"), message);
        Path two = zip(FakePlugin.wheel()
                .with("b/libother.so", FakePlugin.library(FakePlugin.thisMachine(),
                        List.of("CreateEpFactories", "ReleaseEpFactory", "more"))));
        message = refuse(two, Failure.Incompatible.class);
        assertTrue(message.contains("b/libother.so and " + library), message);
        Path same = zip(FakePlugin.wheel().with(library + ".1", FakePlugin.library(FakePlugin.thisMachine())));
        assertEquals(library, add(same).library());
    }

    @Test
    void aTrialThatFailsAddsNothing() throws Exception {
        Path wheel = zip(FakePlugin.wheel());
        trial.devices = List.of();
        assertTrue(refuse(wheel, Failure.DeviceUnavailable.class).contains("finds no device"));
        trial.failure = new Failure.DeviceUnavailable("its code crashed");
        assertEquals("its code crashed", refuse(wheel, Failure.DeviceUnavailable.class));
        assertThrows(CancellationException.class, () -> store().add(wheel, trial, progress -> {}, () -> true));
        assertEquals(List.of(), content());
        freeSpace = 10;
        assertTrue(refuse(wheel, Failure.Unwritable.class).contains("too little space"));
    }

    @Test
    void aProviderIsAddedOnce() throws Exception {
        add(zip(FakePlugin.wheel()));
        assertEquals("execution provider fake 1.2 is already added; remove it first",
                assertThrows(Failure.Conflict.class, () -> add(zip(FakePlugin.wheel()))).getMessage());
        assertEquals(1, content().size());
    }

    @Test
    void changedFilesAreNamed() throws Exception {
        Provider provider = add(zip(FakePlugin.wheel()));
        Path library = provider.libraryFile();
        byte[] original = Files.readAllBytes(library);
        Files.writeString(library.resolveSibling("libextra.so"), "x");
        assertChanged(provider, "libextra.so was put into the folder");
        Files.delete(library.resolveSibling("libextra.so"));
        provider.requireUnchanged();
        Files.writeString(library, "x");
        assertChanged(provider, "libonnxruntime_providers_fake.so was changed");
        Files.delete(library);
        assertChanged(provider, "libonnxruntime_providers_fake.so is missing");
        Files.write(library, original);
        provider.requireUnchanged();
        Files.writeString(provider.folder().resolve("provider.json"), "{}", StandardCharsets.UTF_8);
        assertEquals(List.of(provider.folder()), List.copyOf(store().list().unreadable().keySet()));
    }

    private static void assertChanged(Provider provider, String expected) {
        String message = assertThrows(Failure.Unreadable.class, provider::requireUnchanged).getMessage();
        assertTrue(message.contains(expected), message);
    }
}
