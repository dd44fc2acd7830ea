package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;

/// A tensor of a dry run: its shape, whose memory it lies in, and whether gradients go through it.
record TensorUse(Shape shape, TensorStorage storage, GradMode gradMode) {
    /// Memory that several tensors may share as views; counted once, by identity.
    static final class TensorStorage {
        final long elements;
        /// Weights and inputs: there before the step, and after it.
        final boolean persistent;
        boolean savedForBackward;
        /// What a segment gave that is computed again, by those who can ask for it.
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
