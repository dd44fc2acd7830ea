package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Checkpoint;
import atomstudio.diffusion.tensor.DType;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// Half-precision weights as inputs of a graph that widens them while it runs: as initializers they would all be widened when the session
/// is made, to twice their bytes. Each input is the mapped bytes themselves. Owns the handles, not the bytes.
final class StoredInputs implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Map<String, OnnxTensor> made = new HashMap<>();

    StoredInputs(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /// Those of the graph's inputs that are weights of the checkpoint and that nobody else gives.
    Map<String, OnnxTensor> of(Runtime runtime, Set<String> asked, Set<String> given) throws Failure {
        Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        for (String key : asked) {
            if (!given.contains(key) && checkpoint.has(key)) inputs.put(key, input(runtime, key));
        }
        return inputs;
    }

    private OnnxTensor input(Runtime runtime, String key) throws Failure {
        OnnxTensor found = made.get(key);
        if (found != null) return found;
        OnnxJavaType type = checkpoint.info(key).dtype() == DType.F16 ? OnnxJavaType.FLOAT16 : OnnxJavaType.BFLOAT16;
        try {
            found = OnnxTensor.createTensor(runtime.environment(), checkpoint.bytes(key).asByteBuffer().order(ByteOrder.nativeOrder()), checkpoint.info(key).shape().sizes(), type);
        } catch (OrtException e) {
            throw Runtime.failure(e, checkpoint.file(key) + ": " + key);
        }
        made.put(key, found);
        return found;
    }

    @Override public void close() {
        made.values().forEach(OnnxTensor::close);
        made.clear();
    }
}
