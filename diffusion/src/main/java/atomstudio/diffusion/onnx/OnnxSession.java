package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A loaded graph; owns its native session.
record OnnxSession(OnnxRuntime runtime, SessionHandle handle, Shape outputShape, SessionWeights weights)
        implements AutoCloseable {
    /// A session in this process or in a provider's.
    interface SessionHandle {
        Set<String> inputNames();

        /// Runs the graph and returns its only output.
        /// @param feeds inputs of this run
        /// @param persistentInputs inputs that may be the same tensors in the next run
        float[] run(Map<String, OnnxTensor> feeds, Map<String, OnnxTensor> persistentInputs)
                throws OrtException, Failure;

        void close() throws OrtException;
    }

    /// A session in this process.
    record LocalSession(OrtSession session) implements SessionHandle {
        @Override
        public Set<String> inputNames() {
            return session.getInputNames();
        }

        /// Returns all outputs, which the caller closes.
        OrtSession.Result runAll(Map<String, OnnxTensor> feeds, Map<String, OnnxTensor> persistentInputs)
                throws OrtException {
            Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>(persistentInputs);
            inputs.putAll(feeds);
            return session.run(inputs);
        }

        @Override
        public float[] run(Map<String, OnnxTensor> feeds, Map<String, OnnxTensor> persistentInputs)
                throws OrtException {
            try (OrtSession.Result result = runAll(feeds, persistentInputs)) {
                FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                return values;
            }
        }

        @Override
        public void close() throws OrtException {
            session.close();
        }
    }

    /// How a session uses the weight files that its graph references.
    enum WeightMode {
        /// Copies convolution weights into the fastest layout.
        LAYOUT_OPTIMIZED,
        /// Computes from the mapped files, slightly slower; the system may drop their pages and read them again.
        MAPPED,
        /// Runs once, from mapped files.
        SINGLE_RUN,
        /// An execution provider compiles them with the graph.
        COMPILED
    }

    /// @param folder of the weight files
    /// @param checkpoint that the graph references; empty for a graph without weights
    record SessionWeights(Path folder, WeightMode mode, Optional<Checkpoint> checkpoint) {
        static SessionWeights of(Checkpoint checkpoint, OnnxSettings settings, Device device) throws Failure {
            if (device instanceof ProviderDevice)
                return new SessionWeights(GraphWeights.commonFolder(checkpoint), WeightMode.COMPILED,
                        Optional.of(checkpoint));
            WeightMode mode = bytes(checkpoint) > settings.layoutLimitBytes() ? WeightMode.MAPPED
                    : WeightMode.LAYOUT_OPTIMIZED;
            return new SessionWeights(GraphWeights.commonFolder(checkpoint), mode, Optional.of(checkpoint));
        }

        /// The same files, of which those of another checkpoint are checked before each run.
        SessionWeights withCheckpoint(Checkpoint checked) {
            return new SessionWeights(folder, mode, Optional.of(checked));
        }

        /// Size of all weights.
        long bytes() {
            return checkpoint.map(SessionWeights::bytes).orElse(0L);
        }

        static long bytes(Checkpoint checkpoint) {
            long bytes = 0;
            for (String name : checkpoint.keys()) bytes += checkpoint.info(name).byteLength();
            return bytes;
        }

        /// For a graph without weights.
        static SessionWeights none() {
            return new SessionWeights(Path.of("."), WeightMode.LAYOUT_OPTIMIZED, Optional.empty());
        }

        static SessionWeights forSingleRun(Checkpoint checkpoint) throws Failure {
            return new SessionWeights(GraphWeights.commonFolder(checkpoint), WeightMode.SINGLE_RUN,
                    Optional.of(checkpoint));
        }

        /// @throws Failure.Unreadable if a file changed since it was mapped
        void checkFiles() throws Failure.Unreadable {
            if (checkpoint.isPresent()) checkpoint.get().checkUnchanged();
        }
    }

    /// The names of the graph's inputs.
    Set<String> inputs() {
        return handle.inputNames();
    }

    /// Runs the graph and returns its only output.
    /// @param feeds inputs copied for this run
    /// @param persistentInputs tensors that the caller owns
    Tensor run(Map<String, Feed> feeds, Map<String, OnnxTensor> persistentInputs) throws Failure {
        return new Tensor(outputShape, withTensors(feeds, tensors -> handle.run(tensors, persistentInputs)));
    }

    /// Runs a graph in this process and returns all outputs, which the caller closes.
    OrtSession.Result runAll(Map<String, Feed> feeds, Map<String, OnnxTensor> persistentInputs) throws Failure {
        if (!(handle instanceof LocalSession local))
            throw new IllegalStateException("several outputs: expected a session in this process");
        return withTensors(feeds, tensors -> local.runAll(tensors, persistentInputs));
    }

    @FunctionalInterface
    private interface Run<T> {
        T run(Map<String, OnnxTensor> feeds) throws OrtException, Failure;
    }

    private <T> T withTensors(Map<String, Feed> feeds, Run<T> run) throws Failure {
        weights.checkFiles();
        Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
        try {
            for (Map.Entry<String, Feed> feed : feeds.entrySet())
                tensors.put(feed.getKey(), feed.getValue().createTensor(runtime.environment()));
            return run.run(tensors);
        } catch (OrtException e) {
            throw runtime.deviceFailure(e, "running the network");
        } finally {
            tensors.values().forEach(OnnxTensor::close);
        }
    }

    @Override
    public void close() {
        try {
            handle.close();
        } catch (OrtException e) {
            throw new IllegalStateException("closing a session", e);
        }
    }

    /// The value of a graph input, copied to a native tensor for each run.
    @FunctionalInterface
    interface Feed {
        OnnxTensor createTensor(OrtEnvironment environment) throws OrtException;

        static Feed of(Tensor tensor) {
            long[] sizes = tensor.shape().sizes();
            return environment -> OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.data()), sizes);
        }

        static Feed ids(int[][] rows) {
            long[] flat = Arrays.stream(rows).flatMapToInt(Arrays::stream).asLongStream().toArray();
            long[] sizes = {rows.length, rows[0].length};
            return environment -> OnnxTensor.createTensor(environment, LongBuffer.wrap(flat), sizes);
        }
    }
}
