package atomstudio.diffusion.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.engine.ProviderDevice.Hardware;
import atomstudio.diffusion.engine.ProviderDevice.Precision;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;

/// Execution providers that are added to ONNX Runtime as plugin libraries, for the whole process. They are never
/// removed: a library that is unloaded while the process ends may crash it.
public final class ExecutionProviders {
    /// The function by which ONNX Runtime recognizes a plugin.
    private static final String ENTRY_POINT = "CreateEpFactories";
    private static final String PROVIDER_SUFFIX = "ExecutionProvider";
    /// ONNX Runtime's metadata key of devices whose provider is a plugin.
    private static final String LIBRARY_PATH = "library_path";
    /// Metadata key of devices that choose among others, such as OpenVINO's AUTO.
    private static final String META_DEVICE = "ov_meta_device";
    private static final List<String> MEMORY_KEYS = List.of("GPU_DEVICE_TOTAL_MEM_SIZE", "NPU_DEVICE_TOTAL_MEM_SIZE");

    private static final Map<String, Path> registered = new HashMap<>();

    private ExecutionProviders() {}

    /// Registers a plugin library. The same library again does nothing.
    /// @param registrationName of the plugin, unique in the process
    /// @param library absolute path
    /// @throws Failure.DeviceUnavailable if the library cannot be loaded or is not a plugin; names file and reason
    public static synchronized void register(String registrationName, Path library) throws Failure {
        if (!library.isAbsolute())
            throw new IllegalArgumentException(library + ": expected an absolute path"); // else found in a temp folder
        Path previous = registered.get(registrationName);
        if (library.equals(previous)) return;
        if (previous != null)
            throw new Failure.DeviceUnavailable("execution provider " + registrationName + " is already loaded from "
                    + previous + "; start the program again to use " + library);
        if (!Files.isRegularFile(library))
            throw new Failure.DeviceUnavailable(library + ": no such file; add the execution provider again");
        OrtEnvironment environment = OnnxRuntime.processEnvironment();
        requireLoadable(library);
        try {
            environment.registerExecutionProviderLibrary(registrationName, library.toString());
        } catch (OrtException e) {
            throw new Failure.DeviceUnavailable(library + ": ONNX Runtime " + environment.getVersion()
                    + " does not accept this execution provider: " + e.getMessage(), e);
        }
        registered.put(registrationName, library);
    }

    /// Loads the library and finds its entry point before ONNX Runtime does: after a failure there the runtime may
    /// crash when the process ends.
    private static void requireLoadable(Path library) throws Failure {
        try {
            if (SymbolLookup.libraryLookup(library, Arena.global()).find(ENTRY_POINT).isPresent()) return;
        } catch (IllegalArgumentException e) {
            throw new Failure.DeviceUnavailable(library + ": cannot be loaded: " + loadError(library), e);
        }
        throw new Failure.DeviceUnavailable(
                library + ": not an execution provider of ONNX Runtime (no function " + ENTRY_POINT + ")");
    }

    /// The system's reason, which a lookup does not report.
    private static String loadError(Path library) {
        try {
            System.load(library.toString());
            return "unknown reason";
        } catch (UnsatisfiedLinkError e) {
            return String.valueOf(e.getMessage());
        }
    }

    /// The devices of the registered plugins, in the runtime's order. Empty, without loading the runtime, if none is
    /// registered.
    public static synchronized List<ProviderDevice> devices() throws Failure {
        return List.copyOf(runtimeDevices().keySet());
    }

    /// The runtime's handle of a device.
    /// @throws Failure.DeviceUnavailable if it is no longer there
    static synchronized OrtEpDevice runtimeDevice(ProviderDevice device) throws Failure {
        for (Map.Entry<ProviderDevice, OrtEpDevice> entry : runtimeDevices().entrySet())
            if (entry.getKey().name().equals(device.name())) return entry.getValue();
        throw new Failure.DeviceUnavailable("device " + device.name() + ": its execution provider is not loaded",
                Failure.Remedy.USE_CPU);
    }

    /// Lets a session run on a device.
    static void addTo(OrtSession.SessionOptions options, ProviderOptions settings) throws OrtException, Failure {
        OrtEpDevice device = runtimeDevice(settings.device());
        options.addExecutionProvider(List.of(device), settings.entries(device.getEpMetadata()));
    }

    private static Map<ProviderDevice, OrtEpDevice> runtimeDevices() throws Failure {
        Map<ProviderDevice, OrtEpDevice> devices = new LinkedHashMap<>();
        if (registered.isEmpty()) return devices;
        List<String> names = new ArrayList<>();
        try {
            for (OrtEpDevice found : OnnxRuntime.processEnvironment().getEpDevices()) {
                Map<String, String> metadata = found.getEpMetadata();
                if (!metadata.containsKey(LIBRARY_PATH) || metadata.containsKey(META_DEVICE)) continue;
                Hardware hardware = hardware(found, metadata);
                String name = uniqueName(hardware, names);
                names.add(name);
                devices.put(new ProviderDevice(name, hardware, defaultPrecision(hardware, metadata)),
                        found);
            }
        } catch (OrtException e) {
            throw OnnxRuntime.failure(e, "listing the devices of execution providers");
        }
        return devices;
    }

    private static Hardware hardware(OrtEpDevice device, Map<String, String> metadata) {
        Hardware.Kind kind = switch (device.getDevice().getType()) {
            case CPU -> Hardware.Kind.CPU;
            case GPU -> Hardware.Kind.GPU;
            case NPU -> Hardware.Kind.NPU;
        };
        return new Hardware(device.getEpName(), device.getEpVendor(), kind,
                metadata.getOrDefault("FULL_DEVICE_NAME", device.getDevice().getVendor()), memory(metadata));
    }

    private static OptionalLong memory(Map<String, String> metadata) {
        return MEMORY_KEYS.stream()
                .map(key -> metadata.getOrDefault(key, ""))
                .filter(value -> value.matches("\\d{1,18}"))
                .mapToLong(Long::parseLong)
                .findFirst();
    }

    /// `OpenVINOExecutionProvider` on a GPU is `openvino-gpu`, the second `openvino-gpu-2`; `WebGpuExecutionProvider`
    /// is `webgpu`.
    static String uniqueName(Hardware hardware, List<String> used) {
        String provider = hardware.provider();
        String stem = (provider.endsWith(PROVIDER_SUFFIX)
                ? provider.substring(0, provider.length() - PROVIDER_SUFFIX.length())
                : provider).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
        String kind = hardware.kind().name().toLowerCase(Locale.ROOT);
        String name = stem.endsWith(kind) ? stem : stem + "-" + kind;
        String unique = name;
        for (int i = 2; used.contains(unique); i++) unique = name + "-" + i;
        return unique;
    }

    /// The fastest that the provider reports; float32 if it reports nothing.
    private static Precision defaultPrecision(Hardware hardware, Map<String, String> metadata) {
        List<String> capabilities = List.of(metadata.getOrDefault("OPTIMIZATION_CAPABILITIES", "").split(" "));
        return switch (hardware.kind()) {
            case CPU -> capabilities.contains("BF16") ? Precision.BFLOAT16 : Precision.FLOAT32;
            case GPU, NPU -> capabilities.contains("FP16") ? Precision.FLOAT16 : Precision.FLOAT32;
        };
    }
}
