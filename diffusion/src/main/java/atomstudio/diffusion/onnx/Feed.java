package atomstudio.diffusion.onnx;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;

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
