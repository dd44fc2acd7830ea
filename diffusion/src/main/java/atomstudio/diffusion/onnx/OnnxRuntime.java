package atomstudio.diffusion.onnx;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.tensor.Shape;

/// ONNX Runtime on one device, and the settings every session of it has.
record OnnxRuntime(OrtEnvironment environment, Device device, int threads) {
    private static final String WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path";

    private static final String MAX_FOLDED_BYTES = "optimization.constant_folding_max_output_size_in_bytes";

    static OnnxRuntime open(Device device, int threads) throws Failure {
        try {
            OrtEnvironment environment = load();
            OnnxRuntime runtime = new OnnxRuntime(environment, device, threads);
            runtime.options().close();
            return runtime;
        } catch (OrtException e) {
            throw failure(e, "ONNX Runtime on " + device);
        } catch (UnsatisfiedLinkError e) {
            throw new Failure.DeviceUnavailable("ONNX Runtime cannot be loaded on this machine: " + e.getMessage());
        }
    }

    private static OrtEnvironment load() throws OrtException, Failure {
        Telemetry.disable();
        OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "atomstudio");
        environment.setTelemetry(false);
        return environment;
    }

    OnnxSession createSession(byte[] graph, OnnxSession.SessionWeights weights, Shape output) throws Failure {
        weights.checkFiles();
        try (OrtSession.SessionOptions options = options()) {
            options.addConfigEntry(WEIGHTS_FOLDER, weights.folder().toString());
            switch (weights.mode()) {
                case LAYOUT_OPTIMIZED -> { }
                case MAPPED -> {
                    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.EXTENDED_OPT);
                    options.addConfigEntry(MAX_FOLDED_BYTES, "65536");                    // nothing that is made of large weights: it would be a copy of them
                    options.setMemoryPatternOptimization(false);                // would plan one block for everything, beside what the first run allocated
                }
                case SINGLE_RUN -> {
                    options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.NO_OPT);    // folding constants would widen all half-precision weights at once
                    options.setCPUArenaAllocator(false);                        // results outlive the session, and should not keep its scratch memory
                }
            }
            return new OnnxSession(environment, environment.createSession(graph, options), output, weights);
        } catch (OrtException e) {
            throw failure(e, weights.folder().toString());
        }
    }

    private OrtSession.SessionOptions options() throws OrtException, Failure {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        options.addConfigEntry("session.disable_prepacking", "1");          // Gemm weights stay in the mapped file instead of a second copy
        switch (device) {
            case CPU -> { }
            case CUDA -> cuda(options);
        }
        return options;
    }

    private static void cuda(OrtSession.SessionOptions options) throws Failure {
        try {
            options.addCUDA(0);
        } catch (OrtException e) {
            options.close();
            throw new Failure.DeviceUnavailable("no CUDA device for ONNX Runtime: " + e.getMessage() + "; use --device cpu, or build with the CUDA natives: mvn -P cuda -DskipTests package");
        }
    }

    /// Native errors leave this package as failures that say what to do.
    static Failure failure(OrtException e, String context) {
        String message = String.valueOf(e.getMessage());
        if (message.contains("bad_alloc") || message.contains("Failed to allocate memory") || message.contains("out of memory")) {
            return new Failure.OutOfMemory(context + ": memory does not suffice; close other programs or choose a smaller picture", e);
        }
        return new Failure.Unreadable(context + ": ONNX Runtime failed: " + message, e);
    }
}
