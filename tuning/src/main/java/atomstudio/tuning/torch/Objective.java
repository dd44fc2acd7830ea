package atomstudio.tuning.torch;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.WeightSource;

/// What training minimizes: the loss of a batch as a function of the layers' weights. Written over operations, so that
/// the step differentiates it, and optimizers, checkpoints and runs do not depend on it.
/// @param <B> the batch
public interface Objective<B> {
    /// The mean loss over the batch, a scalar.
    <T> T loss(Step<T> step, B batch);

    /// The operations and layers of one step.
    interface Step<T> {
        /// In the precision of the run, recomputing what its checkpointing recomputes.
        LossOps<T> ops();

        /// In float32 without recomputation, for a network that is small beside the trained one.
        LossOps<T> float32Ops();

        /// A component's layers with the trained method applied.
        /// @param ops one of the above, which the method is computed with
        default WeightSource<T> layers(Component component, LossOps<T> ops) {
            return layers(component, ops, new float[0]);
        }

        /// The same at the timesteps of a batch, on which the method may depend.
        WeightSource<T> layers(Component component, LossOps<T> ops, float[] timesteps);
    }
}
