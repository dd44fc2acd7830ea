/// Tensor operations that networks and tuning methods are written in, their shape-only backend, and layers with
/// adapters.
@NullMarked
package atomstudio.diffusion.ops;

import org.jspecify.annotations.NullMarked;
