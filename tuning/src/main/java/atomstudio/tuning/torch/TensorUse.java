package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;

/// A tensor of a dry run: its shape, its storage, and whether gradients flow through it.
record TensorUse(Shape shape, TensorStorage storage, GradMode gradMode) {
    /// Memory that several tensors may share as views; counted once, by identity.
    static final class TensorStorage {
        final long elements;
        /// Weights and inputs, which exist before and after the step.
        final boolean persistent;
        boolean savedForBackward;
        /// The output of a recomputed segment.
        boolean recomputable;

        TensorStorage(long elements, boolean persistent) {
            this.elements = elements;
            this.persistent = persistent;
        }
    }

    static TensorUse frozen(Shape shape) {
        return new TensorUse(shape, new TensorStorage(shape.elements(), true), GradMode.OFF);
    }

    static TensorUse trainable(Shape shape) {
        return new TensorUse(shape, new TensorStorage(shape.elements(), true), GradMode.ON);
    }

    boolean requiresGrad() {
        return gradMode == GradMode.ON;
    }

    /// The same memory in another shape.
    TensorUse view(Shape newShape) {
        return new TensorUse(newShape, storage, gradMode);
    }
}
