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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A graph that is ready to run; owns its native session.
record Session(OrtEnvironment environment, OrtSession session, Shape output, Weights weights) implements AutoCloseable {
    /// What a session does with the weights that its graph points at in files.
    enum Use {
        /// Copies convolutions' weights into the layout that is fastest.
        COPIED,
        /// Computes from the bytes as they are mapped, a little more slowly: the system may drop and read them again.
        MAPPED,
        /// Runs a single time, from mapped bytes.
        ONCE
    }

    /// @param folder that the files lie in
    /// @param files  that the graph points into; empty for one without weights
    record Weights(Path folder, Use use, Optional<Checkpoint> files) {
        static Weights of(Checkpoint checkpoint) throws Failure {
            return of(checkpoint, OnnxSettings.of(Device.CPU));
        }

        static Weights of(Checkpoint checkpoint, OnnxSettings settings) throws Failure {
            long bytes = 0;
            for (String name : checkpoint.keys()) bytes += checkpoint.info(name).bytes();
            return new Weights(GraphWeights.folder(checkpoint), bytes > settings.copied() ? Use.MAPPED : Use.COPIED, Optional.of(checkpoint));
        }

        /// Of a graph without any.
        static Weights none() {
            return new Weights(Path.of("."), Use.COPIED, Optional.empty());
        }

        static Weights once(Checkpoint checkpoint) throws Failure {
            return new Weights(GraphWeights.folder(checkpoint), Use.ONCE, Optional.of(checkpoint));
        }

        /// @throws Failure.Unreadable when a file changed since it was mapped
        void check() throws Failure.Unreadable {
            if (files.isPresent()) files.get().check();
        }
    }

    /// Names of the graph's inputs.
    Set<String> inputs() {
        return session.getInputNames();
    }

    /// Runs with feeds that are made for this run and tensors that somebody else owns.
    Tensor run(Map<String, Feed> feeds, Map<String, OnnxTensor> standing) throws Failure {
        try (OrtSession.Result result = all(feeds, standing)) {
            FloatBuffer numbers = ((OnnxTensor) result.get(0)).getFloatBuffer();
            float[] data = new float[numbers.remaining()];
            numbers.get(data);
            return new Tensor(output, data);
        }
    }

    /// The same, all outputs; the caller closes.
    OrtSession.Result all(Map<String, Feed> feeds, Map<String, OnnxTensor> standing) throws Failure {
        weights.check();
        Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>(standing);
        List<OnnxTensor> made = new ArrayList<>();
        try {
            for (Map.Entry<String, Feed> feed : feeds.entrySet()) {
                OnnxTensor tensor = feed.getValue().in(environment);
                made.add(tensor);
                inputs.put(feed.getKey(), tensor);
            }
            return session.run(inputs);
        } catch (OrtException e) {
            throw Runtime.failure(e, "running the network");
        } finally {
            made.forEach(OnnxTensor::close);
        }
    }

    @Override public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException("closing a session", e);
        }
    }
}
