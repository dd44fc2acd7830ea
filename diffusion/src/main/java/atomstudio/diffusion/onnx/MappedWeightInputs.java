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

/// Half-precision weights as inputs of a graph that casts them in every run: as initializers they would all be cast
/// to float32 when the session is created, at twice the size. Inputs are the mapped bytes. Owns the handles, not the
/// bytes.
final class MappedWeightInputs implements AutoCloseable {
    private final Checkpoint checkpoint;
    private final Map<String, OnnxTensor> tensors = new HashMap<>();

    MappedWeightInputs(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /// The graph's inputs that are weights of the checkpoint, without the excluded ones.
    Map<String, OnnxTensor> inputs(OnnxRuntime runtime, Set<String> inputNames, Set<String> excluded) throws Failure {
        Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        for (String key : inputNames) {
            if (!excluded.contains(key) && checkpoint.has(key)) inputs.put(key, input(runtime, key));
        }
        return inputs;
    }

    private OnnxTensor input(OnnxRuntime runtime, String key) throws Failure {
        OnnxTensor found = tensors.get(key);
        if (found != null) return found;
        OnnxJavaType type = checkpoint.info(key).dtype() == DType.F16 ? OnnxJavaType.FLOAT16 : OnnxJavaType.BFLOAT16;
        try {
            found = OnnxTensor.createTensor(runtime.environment(),
                    checkpoint.bytes(key).asByteBuffer().order(ByteOrder.nativeOrder()),
                    checkpoint.info(key).shape().sizes(), type);
        } catch (OrtException e) {
            throw OnnxRuntime.failure(e, checkpoint.file(key) + ": " + key);
        }
        tensors.put(key, found);
        return found;
    }

    @Override
    public void close() {
        tensors.values().forEach(OnnxTensor::close);
        tensors.clear();
    }
}
