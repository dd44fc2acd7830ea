package atomstudio.tuning.method;

import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.ops.Ops;

/// A method that leaves all weights as they are and adds a branch to the output of its layers.
interface BranchMethod extends TuningMethod {
    @Override
    default boolean isBranch() { return true; }

    @Override
    default boolean isBranch(Layer layer) {
        return true;
    }

    @Override
    default boolean changesWeight(Layer layer) {
        return false;
    }

    @Override
    default <T> LayerWeights<T> effective(Ops<T> ops, Layer layer, LayerWeights<T> base,
            AdapterParameters<T> parameters, T adapterWeight) {
        return base;
    }
}
