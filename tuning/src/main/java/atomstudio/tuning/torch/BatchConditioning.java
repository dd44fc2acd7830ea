package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;

/// The text conditioning of a batch.
public sealed interface BatchConditioning {
    /// States of the text encoder, (B, S, C), computed once.
    record Embedded(Tensor context) implements BatchConditioning {}

    /// Token ids (B·chunks, S), a caption's chunks after each other: the text encoder runs in each step, so that it can
    /// be trained. The states of a caption's chunks are concatenated to (B, chunks·S, C).
    record TokenIds(int[][] ids, int chunks) implements BatchConditioning {
        public TokenIds {
            if (chunks < 1 || ids.length % chunks != 0)
                throw new IllegalArgumentException("chunks: expected a divisor of " + ids.length + ", found " + chunks);
        }

        /// With one chunk per caption.
        public TokenIds(int[][] ids) {
            this(ids, 1);
        }
    }
}
