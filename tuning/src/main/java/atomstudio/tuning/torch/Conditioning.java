package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;

/// What a batch is conditioned on.
public sealed interface Conditioning {
    /// Text as the text encoder left it once for all: (B,S,C).
    record Embedded(Tensor context) implements Conditioning {}

    /// Token ids (B·chunks,S), the chunks of a caption behind each other: the text encoder runs within each step, so
    /// that it can be tuned too. What it makes of a caption's chunks is put in a row, (B,chunks·S,C).
    record TokenIds(int[][] ids, int chunks) implements Conditioning {
        public TokenIds {
            if (chunks < 1 || ids.length % chunks != 0)
                throw new IllegalArgumentException("chunks: expected a divisor of " + ids.length + ", found " + chunks);
        }

        /// Of captions of one chunk.
        public TokenIds(int[][] ids) {
            this(ids, 1);
        }
    }
}
