package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// A graph that is ready to run; owns its native session.
record Session(OrtEnvironment environment, OrtSession session, Shape output) implements AutoCloseable {
    /// Names of the graph's inputs.
    Set<String> inputs() {
        return session.getInputNames();
    }

    /// Runs with feeds that are made for this run and tensors that somebody else owns.
    Tensor run(Map<String, Feed> feeds, Map<String, OnnxTensor> standing) throws Failure {
        Map<String, OnnxTensorLike> inputs = new LinkedHashMap<>(standing);
        List<OnnxTensor> made = new ArrayList<>();
        try {
            for (Map.Entry<String, Feed> feed : feeds.entrySet()) {
                OnnxTensor tensor = feed.getValue().in(environment);
                made.add(tensor);
                inputs.put(feed.getKey(), tensor);
            }
            try (OrtSession.Result result = session.run(inputs)) {
                FloatBuffer numbers = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] data = new float[numbers.remaining()];
                numbers.get(data);
                return new Tensor(output, data);
            }
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
