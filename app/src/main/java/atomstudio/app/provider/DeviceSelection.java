package atomstudio.app.provider;

import atomstudio.app.process.ChildProcessLauncher;
import atomstudio.app.runtime.BuildInfo;
import atomstudio.app.runtime.Devices;
import atomstudio.app.runtime.Home;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.file.StudioFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/// The devices of this machine, built in and of added providers, and the choice of one. Thread-safe.
public final class DeviceSelection {
    /// The fastest device that was measured on this machine.
    public static final String AUTO = "auto";

    private final Devices builtIn;
    private final ProviderStore store;
    private final MeasurementFile measurements;
    private final Path compiled;
    private final Home home;
    /// When the providers that were loaded for this process were added.
    private final Map<String, Instant> loaded = new HashMap<>();

    /// A device, whether it can be loaded or not.
    public record KnownDevice(Device device, Optional<Provider> provider, Optional<Measurement> measurement) {
        public String name() {
            return device.name();
        }

        boolean isUnmeasured() { return measurement.isEmpty(); }
    }

    public DeviceSelection(Home home) {
        this(home, Devices.detect());
    }

    DeviceSelection(Home home, Devices builtIn) {
        this.builtIn = builtIn;
        this.home = home;
        store = new ProviderStore(home.providers());
        measurements = new MeasurementFile(home.providers().resolve("measured.json"));
        compiled = home.providers().resolve(".compiled");
    }

    public ProviderStore store() {
        return store;
    }

    /// Built-in devices, then those of added providers. Loads nothing.
    public List<KnownDevice> known() {
        List<KnownDevice> known = new ArrayList<>();
        for (Device device : builtIn.available()) known.add(known(device, Optional.empty()));
        for (Provider provider : providers())
            for (ProviderDevice device : provider.devices()) known.add(known(device, Optional.of(provider)));
        return known;
    }

    private KnownDevice known(Device device, Optional<Provider> provider) {
        return new KnownDevice(device, provider, measurements.find(key(device, provider)));
    }

    /// A damaged folder must not prevent the use of the other devices.
    private List<Provider> providers() {
        try {
            return store.list().providers();
        } catch (Failure unreadable) {
            LoggerFactory.getLogger(DeviceSelection.class).warn("the added providers are ignored", unreadable);
            return List.of();
        }
    }

    /// Names that can be chosen.
    public List<String> names() {
        return Stream.concat(Stream.of(AUTO), known().stream().map(KnownDevice::name)).toList();
    }

    /// What [#AUTO] means now: the fastest measured device, or the fastest built-in one if that was not measured.
    public KnownDevice automatic() {
        List<KnownDevice> known = known();
        KnownDevice standard = known.getFirst();
        if (standard.measurement().isEmpty()) return standard;
        return known.stream()
                .filter(device -> device.measurement().filter(Measurement::isAccurate).isPresent())
                .min(Comparator.comparingDouble(device -> device.measurement().orElseThrow().secondsPerStep()))
                .orElse(standard);
    }

    /// What a choice means now, for display: `CPU`, `openvino-gpu`.
    public String title(String name) {
        String device = name.equals(AUTO) ? automatic().name() : name;
        return device.equals(Device.CPU.name()) || device.equals(Device.CUDA.name()) ? device.toUpperCase(Locale.ROOT)
                : device;
    }

    /// Checks the files of a device's provider, if it has one; its process loads them.
    /// @param name one of [#names]
    /// @param notes receives why another device is used than the one that [#AUTO] means
    /// @throws Failure.DeviceUnavailable if a device that was named cannot be used
    public Device select(String name, Consumer<String> notes) throws Failure {
        if (!name.equals(AUTO)) return open(find(name));
        KnownDevice automatic = automatic();
        if (automatic.provider().isEmpty()) return automatic.device();
        try {
            return open(automatic);
        } catch (Failure e) {
            Device standard = builtIn.select(Optional.empty());
            notes.accept("Device " + automatic.name() + " cannot be used, so " + standard.name() + " is: "
                    + e.getMessage());
            return standard;
        }
    }

    /// A device by its name.
    public KnownDevice find(String name) throws Failure {
        for (KnownDevice device : known()) if (device.name().equals(name)) return device;
        if (name.equals(Device.CUDA.name())) builtIn.select(Optional.of(Device.CUDA)); // fails with the reason
        throw new Failure.DeviceUnavailable("no device \"" + name + "\" on this machine; there are "
                + String.join(", ", names()) + "; other devices are added with: studio providers add");
    }

    private synchronized Device open(KnownDevice known) throws Failure {
        if (known.provider().isEmpty()) return known.device();
        Provider provider = known.provider().get();
        Instant previous = loaded.get(provider.name());
        if (previous != null && !previous.equals(provider.origin().added()))
            throw new Failure.DeviceUnavailable("device " + known.name() + ": another version of execution provider "
                    + provider.name() + " is loaded; start the program again to use " + provider.title(),
                    Failure.Remedy.USE_CPU);
        if (previous == null) {
            provider.requireUnchanged();
            loaded.put(provider.name(), provider.origin().added());
        }
        return ((ProviderDevice) known.device()).withCompileCache(compiled.resolve(provider.name()))
                .withProcess(process(provider));
    }

    /// The provider's code runs in a process of its own: a crash costs an image.
    private ProviderDevice.ProviderCommand process(Provider provider) throws Failure {
        Path log = home.folder().resolve("logs").resolve("provider-" + provider.name() + ".log");
        try {
            StudioFolder.createFile(log);
        } catch (IOException e) {
            throw new Failure.Unwritable(log + ": cannot be created: " + e.getMessage(), e);
        }
        return new ProviderDevice.ProviderCommand(ChildProcessLauncher.ofThisProgram(home)
                .command(List.of("providers", "host", ChildProcessLauncher.option("name", provider.name()),
                        ChildProcessLauncher.option("library", provider.libraryFile()))),
                log);
    }

    /// What a measurement of a device depends on.
    public Measurement.Key key(KnownDevice device) {
        return key(device.device(), device.provider());
    }

    private static Measurement.Key key(Device device, Optional<Provider> provider) {
        return new Measurement.Key(device.name(), provider.map(Provider::title).orElse(""),
                BuildInfo.current().runtimeVersion(), machine());
    }

    private static String machine() {
        int threads = Runtime.getRuntime().availableProcessors();
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            Optional<String> model = lines.filter(line -> line.startsWith("model name")).findFirst();
            if (model.isPresent())
                return model.get().substring(model.get().indexOf(':') + 1).strip() + " × " + threads;
        } catch (IOException notLinux) {
            // Named as on other systems.
        }
        return System.getenv().getOrDefault("PROCESSOR_IDENTIFIER", System.getProperty("os.arch")) + " × " + threads;
    }

    /// Saves a measurement.
    public void save(Measurement measurement) throws Failure {
        measurements.put(measurement);
    }

    /// The files of a provider: its folder, and the networks that it has compiled.
    public List<Path> files(Path folder) {
        Path networks = compiled.resolve(folder.getFileName());
        return Files.isDirectory(networks) ? List.of(folder, networks) : List.of(folder);
    }
}
