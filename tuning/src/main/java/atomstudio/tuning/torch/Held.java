package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Shape;

/// A tensor of a dry run: its shape, whose memory it lies in, and whether gradients go through it.
record Held(Shape shape, Storage storage, Recording recording) {
    /// Memory that several tensors may share as views; counted once, by identity.
    static final class Storage {
        final long elements;
        /// Weights and inputs: there before the step, and after it.
        final boolean lasting;
        boolean saved;
        /// What a segment gave that is computed again, by those who can ask for it.
        boolean quick;

        Storage(long elements, boolean lasting) {
            this.elements = elements;
            this.lasting = lasting;
        }
    }

    static Held frozen(Shape shape) {
        return new Held(shape, new Storage(shape.elements(), true), Recording.OFF);
    }

    static Held trained(Shape shape) {
        return new Held(shape, new Storage(shape.elements(), true), Recording.ON);
    }

    boolean recorded() {
        return recording == Recording.ON;
    }

    /// The same memory in another shape.
    Held view(Shape other) {
        return new Held(other, storage, recording);
    }
}
