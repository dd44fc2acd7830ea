/// Networks as ONNX graphs, and ONNX Runtime that runs them: the only package that sees `ai.onnxruntime`.
@NullMarked
package atomstudio.diffusion.onnx;

import org.jspecify.annotations.NullMarked;
