/// Tensors in host memory, and the safetensors and PyTorch files that hold them.
@NullMarked
package atomstudio.diffusion.tensor;

import org.jspecify.annotations.NullMarked;
