package atomstudio.diffusion.engine;

import atomstudio.diffusion.sample.Between;
import atomstudio.diffusion.sample.Plan;
import atomstudio.diffusion.sample.Start;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// What one pass is sampled on.
/// @param plan    the steps that are walked
/// @param between puts back, after every step, what is not to change
/// @param beside  (1,C,h,w) that an inpainting network reads beside the latents: the mask and the masked picture's latents
record Canvas(Plan plan, Start start, Between between, Optional<Tensor> beside) {
    /// Latents (1,4,h,w) as the network wants to see them.
    Tensor shown(Tensor latents) {
        return beside.map(more -> channels(latents, more)).orElse(latents);
    }

    /// Channels of both (1,A,h,w), (1,B,h,w) -> (1,A+B,h,w).
    static Tensor channels(Tensor a, Tensor b) {
        float[] both = new float[a.data().length + b.data().length];
        System.arraycopy(a.data(), 0, both, 0, a.data().length);
        System.arraycopy(b.data(), 0, both, a.data().length, b.data().length);
        return new Tensor(a.shape().with(1, a.shape().size(1) + b.shape().size(1)), both);
    }
}
