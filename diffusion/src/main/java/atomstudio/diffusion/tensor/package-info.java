/// Shapes, element types, host tensors and safetensors files: what everything else is made of.
@NullMarked
package atomstudio.diffusion.tensor;

import org.jspecify.annotations.NullMarked;
