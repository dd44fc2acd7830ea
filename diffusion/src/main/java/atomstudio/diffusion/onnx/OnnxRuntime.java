package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.ops.WeightSource;
import atomstudio.diffusion.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// ONNX Runtime on one device, and the options of its sessions.
record OnnxRuntime(OrtEnvironment environment, Device device, int threads) {
    private static final String WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path";
    private static final String MAX_FOLDED_BYTES = "optimization.constant_folding_max_output_size_in_bytes";

    static OnnxRuntime open(Device device, int threads) throws Failure {
        try {
            OnnxRuntime runtime = new OnnxRuntime(processEnvironment(), device, threads);
            if (device instanceof ProviderDevice provider && provider.process().isPresent())
                ProviderProcess.of(provider.process().get()); // starts while the model is opened
            else
                runtime.options(0).close();
            return runtime;
        } catch (OrtException e) {
            throw failure(e, "ONNX Runtime on " + device.name());
        }
    }

    /// The environment of the process; loads the runtime.
    /// @throws Failure.DeviceUnavailable if it cannot be loaded
    static OrtEnvironment processEnvironment() throws Failure {
        Telemetry.disable();
        try {
            OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
                    "atomstudio");
            environment.setTelemetry(false);
            return environment;
        } catch (OrtException e) {
            throw failure(e, "ONNX Runtime");
        } catch (UnsatisfiedLinkError e) {
            throw new Failure.DeviceUnavailable("ONNX Runtime cannot be loaded on this machine: " + e.getMessage());
        }
    }

    /// The same on the CPU if this is on an execution provider.
    OnnxRuntime withoutProvider() {
        return device instanceof ProviderDevice ? new OnnxRuntime(environment, Device.CPU, threads) : this;
    }

    /// The same with another precision if this is on an execution provider.
    OnnxRuntime withPrecision(ProviderDevice.Precision precision) {
        return device instanceof ProviderDevice provider
                ? new OnnxRuntime(environment, provider.withPrecision(precision), threads)
                : this;
    }

    /// A network written over a backend.
    @FunctionalInterface
    interface Network {
        Graph.Value build(GraphOps ops, WeightSource<Graph.Value> weights);
    }

    /// Builds a network's graph over the weights of a checkpoint and opens a session for it.
    OnnxSession createSession(Checkpoint checkpoint, OnnxSettings settings, Network network) throws Failure {
        OnnxSession.SessionWeights weights = OnnxSession.SessionWeights.of(checkpoint, settings, device);
        Graph graph = new Graph();
        GraphOps ops = new GraphOps(graph, GraphOptions.of(device, weights.mode()));
        Graph.Value output = network.build(ops, new GraphWeights(graph, checkpoint));
        return createSession(graph.model(output), weights, output.shape());
    }

    OnnxSession createSession(byte[] graph, OnnxSession.SessionWeights weights, Shape output) throws Failure {
        return createSession(graph, weights, output, Map.of());
    }

    /// @param initializers values of external initializers that lie in no file; needed only during this call
    OnnxSession createSession(byte[] graph, OnnxSession.SessionWeights weights, Shape output,
            Map<String, OnnxTensor> initializers) throws Failure {
        weights.checkFiles();
        GraphFiles files = new GraphFiles(weights.folder().toAbsolutePath(), weights.mode(), weights.bytes());
        try {
            return new OnnxSession(this, handle(graph, files, initializers), output, weights);
        } catch (OrtException e) {
            throw deviceFailure(e, weights.folder().toString());
        }
    }

    private OnnxSession.SessionHandle handle(byte[] graph, GraphFiles files, Map<String, OnnxTensor> initializers)
            throws OrtException, Failure {
        if (!(device instanceof ProviderDevice provider) || provider.process().isEmpty())
            return new OnnxSession.LocalSession(nativeSession(graph, files, initializers));
        return ProviderProcess.of(provider.process().get())
                .createSession(provider, new ProviderMessage.SessionRequest(provider.name(), provider.precision(),
                        provider.compileCache().map(Path::toString), threads, files.folder.toString(),
                        files.weightBytes, graph), initializers);
    }

    /// The weight files of a graph and how they are used.
    record GraphFiles(Path folder, OnnxSession.WeightMode mode, long weightBytes) {}

    /// Opens a session in this process.
    /// @param initializers values of external initializers that lie in no file; needed only during this call
    OrtSession nativeSession(byte[] graph, GraphFiles files, Map<String, OnnxTensor> initializers)
            throws OrtException, Failure {
        try (OrtSession.SessionOptions options = options(files.weightBytes)) {
            options.addConfigEntry(WEIGHTS_FOLDER, files.folder.toString());
            if (!initializers.isEmpty()) options.addExternalInitializers(new HashMap<>(initializers));
            switch (files.mode) {
                case LAYOUT_OPTIMIZED -> {}
                case MAPPED -> {
                    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.EXTENDED_OPT);
                    // Constants folded from large weights would be copies of them.
                    options.addConfigEntry(MAX_FOLDED_BYTES, "65536");
                    // A memory pattern is one block for all activations, in addition to the first run's allocations.
                    options.setMemoryPatternOptimization(false);
                }
                // The provider folds and fuses by itself; the runtime would fold converted weights into copies.
                case COMPILED -> options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
                case SINGLE_RUN -> {
                    // Constant folding would convert all half-precision weights at once.
                    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);
                    // The results outlive the session and should not keep its arena.
                    options.setCPUArenaAllocator(false);
                }
            }
            return environment.createSession(graph, options);
        }
    }

    /// @param weightBytes size of the network's weights
    private OrtSession.SessionOptions options(long weightBytes) throws OrtException, Failure {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        // Without it Gemm weights would be copied from the mapped file.
        options.addConfigEntry("session.disable_prepacking", "1");
        switch (device) {
            case Device.Cpu _ -> {}
            case Device.Cuda _ -> cuda(options);
            case ProviderDevice provider -> ExecutionProviders.addTo(options,
                    new ProviderOptions(provider, threads, weightBytes));
        }
        return options;
    }

    private static void cuda(OrtSession.SessionOptions options) throws Failure {
        try {
            options.addCUDA(0);
        } catch (OrtException e) {
            options.close();
            throw new Failure.DeviceUnavailable("no CUDA device for ONNX Runtime: " + e.getMessage()
                    + "; build with the CUDA natives: mvn -P cuda -DskipTests package", Failure.Remedy.USE_CPU);
        }
    }

    /// Converts an exception of a session to a failure; on an execution provider the device failed.
    Failure deviceFailure(OrtException e, String context) {
        Failure failure = failure(e, context);
        if (!(device instanceof ProviderDevice provider) || failure instanceof Failure.OutOfMemory) return failure;
        return new Failure.DeviceUnavailable("device " + provider.name() + " (" + provider.hardware().provider()
                + "): " + failure.getMessage().replaceAll("\\s+", " ").strip(), Failure.Remedy.USE_CPU);
    }

    /// Converts native exceptions to failures.
    static Failure failure(OrtException e, String context) {
        String message = String.valueOf(e.getMessage());
        if (message.contains("bad_alloc") || message.contains("Failed to allocate memory")
                || message.contains("out of memory")) {
            return new Failure.OutOfMemory(
                    context + ": out of memory; close other programs or choose a smaller image", e);
        }
        return new Failure.Unreadable(context + ": ONNX Runtime failed: " + message, e);
    }

    /// Disables the telemetry client in ONNX Runtime's libraries for Linux and macOS. It starts when the environment
    /// is created, writes a device id under `~/.cache` and queues events before `OrtEnvironment.setTelemetry(false)`
    /// can be called; only an environment variable prevents that. Launchers set it; here it is set for processes
    /// started without it. The Windows library has no such client: its events go to the system's tracing, which
    /// `setTelemetry(false)` stops. Source: ONNX Runtime 1.29, core/platform/posix/telemetry.cc.
    static final class Telemetry {
        static final String VARIABLE = "ORT_DISABLE_TELEMETRY";
        private static final String ENABLED = "1";

        private Telemetry() {}

        /// Must be called before the library is loaded. `System.getenv` does not change.
        /// @throws Failure.DeviceUnavailable if the variable cannot be set, since nothing may be sent
        static void disable() throws Failure {
            if (System.getProperty("os.name").startsWith("Windows") || ENABLED.equals(System.getenv(VARIABLE))) return;
            try (Arena arena = Arena.ofConfined()) {
                // int setenv(const char *name, const char *value, int overwrite)
                Linker linker = Linker.nativeLinker();
                MethodHandle setenv = linker.downcallHandle(linker.defaultLookup().findOrThrow("setenv"),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
                                ValueLayout.JAVA_INT));
                int result = (int) setenv.invokeExact(arena.allocateFrom(VARIABLE), arena.allocateFrom(ENABLED), 1);
                if (result != 0) throw new IllegalStateException("setenv: expected 0, found " + result);
            } catch (VirtualMachineError fatal) {
                throw fatal;
            } catch (Throwable e) {
                throw new Failure.DeviceUnavailable("ONNX Runtime's telemetry cannot be disabled (" + e.getMessage()
                        + "), so it is not loaded; set " + VARIABLE + "=" + ENABLED
                        + " in the environment and start again",
                        e);
            }
        }
    }
}
