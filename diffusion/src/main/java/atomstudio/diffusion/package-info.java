/// Stable Diffusion as plain Java: files, networks, samplers, and the ONNX Runtime engine that runs them.
@NullMarked
package atomstudio.diffusion;

import org.jspecify.annotations.NullMarked;
