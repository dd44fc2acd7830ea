package atomstudio.tuning.torch;

import ai.djl.ndarray.NDArray;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.WeightSource;
import java.util.function.Function;

/// The frozen weights that a loss is computed with.
/// @param layers  of a component
/// @param derived the value of a method's derived parameter
record TrainedNetworks(Torch torch, Function<Component, WeightSource<NDArray>> layers,
        Function<String, NDArray> derived, FileCheck files) {
    /// Checks that the weight files are unchanged since they were opened.
    @FunctionalInterface
    interface FileCheck {
        void run() throws Failure.Unreadable;
    }
}
