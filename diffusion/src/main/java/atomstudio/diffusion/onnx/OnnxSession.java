package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A graph that is ready to run; owns its native session.
record OnnxSession(OrtEnvironment environment, OrtSession session, Shape outputShape, SessionWeights weights) implements AutoCloseable {
    /// What a session does with the weights that its graph points at in files.
    enum WeightMode {
        /// Copies convolutions' weights into the layout that is fastest.
        LAYOUT_OPTIMIZED,
        /// Computes from the bytes as they are mapped, a little more slowly: the system may drop and read them again.
        MAPPED,
        /// Runs a single time, from mapped bytes.
        SINGLE_RUN
    }

    /// @param folder that the files lie in
    /// @param checkpoint  that the graph points into; empty for one without weights
    record SessionWeights(Path folder, WeightMode mode, Optional<Checkpoint> checkpoint) {
        static SessionWeights of(Checkpoint checkpoint) throws Failure {
            return of(checkpoint, OnnxSettings.of(Device.CPU));
        }

        static SessionWeights of(Checkpoint checkpoint, OnnxSettings settings) throws Failure {
            long bytes = 0;
            for (String name : checkpoint.keys()) bytes += checkpoint.info(name).byteLength();
            return new SessionWeights(GraphWeights.commonFolder(checkpoint), bytes > settings.layoutLimitBytes() ? WeightMode.MAPPED : WeightMode.LAYOUT_OPTIMIZED, Optional.of(checkpoint));
        }

        /// Of a graph without any.
        static SessionWeights none() {
            return new SessionWeights(Path.of("."), WeightMode.LAYOUT_OPTIMIZED, Optional.empty());
        }

        static SessionWeights forSingleRun(Checkpoint checkpoint) throws Failure {
            return new SessionWeights(GraphWeights.commonFolder(checkpoint), WeightMode.SINGLE_RUN, Optional.of(checkpoint));
        }

        /// @throws Failure.Unreadable when a file changed since it was mapped
        void checkFiles() throws Failure.Unreadable {
            if (checkpoint.isPresent()) checkpoint.get().checkUnchanged();
        }
    }

    /// Names of the graph's inputs.
    Set<String> inputs() {
        return session.getInputNames();
    }

    /// Runs with feeds that are made for this run and tensors that somebody else owns.
    Tensor run(Map<String, Feed> feeds, Map<String, OnnxTensor> persistentInputs) throws Failure {
        try (OrtSession.Result result = runAll(feeds, persistentInputs)) {
            FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] data = new float[buffer.remaining()];
            buffer.get(data);
            return new Tensor(outputShape, data);
        }
    }

    /// The same, all outputs; the caller closes.
    OrtSession.Result runAll(Map<String, Feed> feeds, Map<String, OnnxTensor> persistentInputs) throws Failure {
        weights.checkFiles();
        Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>(persistentInputs);
        List<OnnxTensor> created = new ArrayList<>();
        try {
            for (Map.Entry<String, Feed> feed : feeds.entrySet()) {
                OnnxTensor tensor = feed.getValue().createTensor(environment);
                created.add(tensor);
                inputs.put(feed.getKey(), tensor);
            }
            return session.run(inputs);
        } catch (OrtException e) {
            throw OnnxRuntime.failure(e, "running the network");
        } finally {
            created.forEach(OnnxTensor::close);
        }
    }

    @Override public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("closing a session", e);
        }
    }

    /// A graph input's value, made native for one run.
    @FunctionalInterface
    interface Feed {
        OnnxTensor createTensor(OrtEnvironment environment) throws OrtException;

        static Feed of(Tensor tensor) {
            return environment -> OnnxTensor.createTensor(environment, FloatBuffer.wrap(tensor.data()), tensor.shape().sizes());
        }

        static Feed ids(int[][] rows) {
            long[] flat = Arrays.stream(rows).flatMapToInt(Arrays::stream).asLongStream().toArray();
            return environment -> OnnxTensor.createTensor(environment, LongBuffer.wrap(flat), new long[] {rows.length, rows[0].length});
        }
    }
}
