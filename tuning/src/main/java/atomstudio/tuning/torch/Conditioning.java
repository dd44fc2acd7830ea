package atomstudio.tuning.torch;

import atomstudio.diffusion.tensor.Tensor;

/// What a batch is conditioned on.
public sealed interface Conditioning {
    /// Text as the text encoder left it once for all: (B,S,C).
    record Embedded(Tensor context) implements Conditioning {}

    /// Token ids (B,S): the text encoder runs within each step, so that it can be tuned too.
    record Words(int[][] ids) implements Conditioning {}
}
