package atomstudio.app.provider;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.file.StudioFolder;
import atomstudio.diffusion.file.TemporaryPath;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// The folder of added execution providers, one folder each. Native code of a package runs only after its files were
/// checked, and first in a child process.
public final class ProviderStore {
    private static final String ENTRY_POINT = "CreateEpFactories";
    private static final String EXIT_POINT = "ReleaseEpFactory";

    private final Path folder;
    private final InstantSource clock;
    private final ToLongFunction<Path> freeSpace;

    /// @param folder need not exist
    public ProviderStore(Path folder) {
        this(folder, InstantSource.system(), path -> path.toFile().getUsableSpace());
    }

    ProviderStore(Path folder, InstantSource clock, ToLongFunction<Path> freeSpace) {
        this.folder = folder;
        this.clock = clock;
        this.freeSpace = freeSpace;
    }

    /// A step of adding a package.
    public sealed interface Progress {
        record Unpacking(long done, long total) implements Progress {}

        /// The library is being registered in a child process.
        record Trying() implements Progress {}
    }

    /// Added providers by name, and the folders of those that cannot be read with the reason.
    public record Listing(List<Provider> providers, Map<Path, Failure> unreadable) {}

    public Listing list() throws Failure {
        List<Provider> providers = new ArrayList<>();
        Map<Path, Failure> unreadable = new LinkedHashMap<>();
        for (Path child : folders()) {
            try {
                providers.add(Provider.read(child));
            } catch (Failure damaged) {
                unreadable.put(child, damaged);
            }
        }
        return new Listing(providers, unreadable);
    }

    private List<Path> folders() throws Failure {
        if (!Files.isDirectory(folder)) return List.of();
        try (Stream<Path> children = Files.list(folder)) {
            return children.filter(Provider::isIn)
                    .filter(child -> !child.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": the execution providers cannot be listed: " + e.getMessage(), e);
        }
    }

    /// The folder of an added provider, even of an unreadable one.
    /// @throws Failure.Unreadable if none has the name
    public Path find(String name) throws Failure {
        List<Path> folders = folders();
        List<String> names = folders.stream().map(path -> path.getFileName().toString()).toList();
        int index = names.indexOf(name);
        if (index >= 0) return folders.get(index);
        throw new Failure.Unreadable("no execution provider \"" + name + "\" was added; "
                + (names.isEmpty() ? "none is" : "there are " + String.join(", ", names)));
    }

    /// Checks a package, copies it into the store and registers it in a child process. If anything fails, nothing is
    /// added.
    /// @param source a Python wheel, a ZIP archive or a folder
    public Provider add(Path source, ProviderTrial trial, Consumer<Progress> onProgress, Cancellation cancellation)
            throws Failure, InterruptedException {
        try (ProviderPackage files = ProviderPackage.open(source.toAbsolutePath().normalize())) {
            StudioFolder.createDirectories(folder);
            requireSpace(files.bytes());
            // Registered before it is created: a killed process leaves no folder behind.
            try (TemporaryPath unpacked = TemporaryPath
                    .register(folder.resolve(".adding-" + TemporaryPath.randomSuffix()))) {
                StudioFolder.createDirectories(unpacked.path());
                TreeMap<String, String> hashes = files.copyTo(unpacked.path(),
                        done -> onProgress.accept(new Progress.Unpacking(done, files.bytes())), cancellation);
                Content content = Content.check(source, unpacked.path(), hashes);
                Path target = folder.resolve(content.name);
                requireAbsent(target);
                onProgress.accept(new Progress.Trying());
                List<ProviderDevice> devices = register(content, unpacked.path(), trial, cancellation);
                if (devices.isEmpty())
                    throw new Failure.DeviceUnavailable(source + ": the execution provider can be loaded, but finds "
                            + "no device on this machine; check the device's driver");
                Provider provider = new Provider(unpacked.path(), new Provider.Origin(content.packageName,
                        content.version, source.getFileName().toString(), clock.instant()), content.library, devices,
                        hashes);
                provider.write();
                Files.move(unpacked.path(), target, StandardCopyOption.ATOMIC_MOVE);
                return Provider.read(target);
            }
        } catch (FileAlreadyExistsException e) {
            throw new Failure.Conflict(e.getFile() + ": was added at the same time by another process");
        } catch (IOException e) {
            throw new Failure.Unwritable(folder + ": cannot be written: " + e.getMessage(), e);
        }
    }

    /// Messages name files as in the package, since the folder is removed after a failure.
    private static List<ProviderDevice> register(Content content, Path unpacked, ProviderTrial trial,
            Cancellation cancellation) throws Failure, InterruptedException {
        Path folder = unpacked.toAbsolutePath();
        try {
            return trial.register(content.name, folder.resolve(content.library), cancellation);
        } catch (Failure.DeviceUnavailable e) {
            throw new Failure.DeviceUnavailable(e.getMessage().replace(folder + File.separator, ""), e);
        }
    }

    private void requireSpace(long needed) throws Failure {
        long free = freeSpace.applyAsLong(folder);
        if (free < needed)
            throw new Failure.Unwritable(folder + ": the disk has too little space: expected "
                    + DisplayFormat.bytes(needed) + ", found " + DisplayFormat.bytes(free) + "; free some space");
    }

    private static void requireAbsent(Path target) throws Failure {
        if (!Files.exists(target)) return;
        String title = Provider.isIn(target) ? Provider.read(target).title() : target.toString();
        throw new Failure.Conflict("execution provider " + title + " is already added; remove it first");
    }

    /// What a checked package contains.
    /// @param library path of the provider's library
    private record Content(String name, String packageName, String version, String library) {
        static Content check(Path source, Path folder, TreeMap<String, String> hashes) throws Failure {
            Optional<String> damaged = WheelMetadata.firstDamaged(folder, hashes);
            if (damaged.isPresent())
                throw new Failure.Unreadable(source + ": " + damaged.get()
                        + " is not the file that the wheel lists (RECORD); download the wheel again");
            Optional<WheelMetadata> wheel = WheelMetadata.read(folder);
            if (wheel.isPresent()) check(source, wheel.get());
            String library = library(source, folder, hashes, wheel);
            String packageName = wheel.map(WheelMetadata::name).orElse("");
            return new Content(shortName(packageName.isEmpty() ? library : packageName), packageName,
                    wheel.map(WheelMetadata::version).orElse(""), library);
        }

        private static void check(Path source, WheelMetadata wheel) throws Failure {
            Platform platform = requirePlatform();
            if (!wheel.runsOn(platform))
                throw new Failure.Incompatible(source + ": for another system: expected " + platform + ", found "
                        + String.join(", ", wheel.tags()) + "; download the wheel for this system");
            String runtime = BuildInfo.current().runtimeVersion();
            if (!wheel.runtime().includes(runtime))
                throw new Failure.Incompatible(source + ": for another version of ONNX Runtime: expected one that "
                        + "works with " + runtime + ", found " + String.join(", ", wheel.runtime().specifiers())
                        + "; download another version of " + wheel.name());
        }

        private static Platform requirePlatform() throws Failure {
            return Platform.current()
                    .orElseThrow(() -> new Failure.Unsupported(
                            "execution providers on this processor (" + System.getProperty("os.arch") + ")"));
        }

        /// The one library with a provider's functions; equal files count as one.
        private static String library(Path source, Path folder, TreeMap<String, String> hashes,
                Optional<WheelMetadata> wheel) throws Failure {
            Platform platform = requirePlatform();
            Map<String, String> found = new TreeMap<>();
            List<String> foreign = new ArrayList<>();
            for (Map.Entry<String, String> file : hashes.entrySet()) {
                if (!file.getKey().matches(".*\\.(dll|dylib|so(\\.\\d+)*)")) continue;
                Optional<SharedLibrary> library = SharedLibrary.read(folder.resolve(file.getKey()));
                if (library.isEmpty() || !library.get().exports().contains(ENTRY_POINT)
                        || !library.get().exports().contains(EXIT_POINT))
                    continue;
                if (library.get().runsOn(platform)) found.putIfAbsent(file.getValue(), file.getKey());
                else foreign.add(file.getKey() + " for " + library.get().describePlatform());
            }
            if (found.size() == 1) return found.values().iterator().next();
            if (found.size() > 1)
                throw new Failure.Incompatible(source + ": expected one execution provider, found "
                        + String.join(" and ", found.values().stream().sorted().toList()) + "; add them separately");
            if (!foreign.isEmpty())
                throw new Failure.Incompatible(source + ": for another system: expected a library for " + platform
                        + ", found " + String.join(", ", foreign));
            throw new Failure.Incompatible(source + ": no execution provider of ONNX Runtime: no library in it has "
                    + "the functions " + ENTRY_POINT + " and " + EXIT_POINT + wheel
                            .map(WheelMetadata::requirements)
                            .filter(requirements -> !requirements.isEmpty())
                            .map(requirements -> "; it requires " + String.join(", ", requirements)
                                    + ", which may have it")
                            .orElse(""));
        }

        /// `onnxruntime-ep-openvino` and `libonnxruntime_providers_openvino_plugin.so.1` are `openvino`.
        static String shortName(String name) throws Failure {
            String file = name.substring(name.lastIndexOf('/') + 1).toLowerCase(Locale.ROOT);
            String stem = file.replaceFirst("\\.(dll|dylib|so)(\\.\\d+)*$", "")
                    .replaceAll("[^a-z0-9]+", "-")
                    .replaceFirst("^(lib)?onnxruntime-(ep|providers)-", "")
                    .replaceFirst("-(plugin|ep)$", "")
                    .replaceAll("^-|-$", "");
            if (stem.isEmpty()) throw new Failure.Incompatible(name + ": expected a name with letters or digits");
            return stem;
        }
    }
}
