/// The ONNX backend: networks as ONNX graphs, run by ONNX Runtime; the only package that uses `ai.onnxruntime`.
@NullMarked
package atomstudio.diffusion.onnx;

import org.jspecify.annotations.NullMarked;
