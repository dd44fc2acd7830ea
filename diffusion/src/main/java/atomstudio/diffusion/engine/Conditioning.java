package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.Optional;

/// What the UNet is conditioned on, besides the timestep.
/// @param hiddenStates the text encoder's (B, S, C), diffusers' `encoder_hidden_states`
/// @param pooledText a second text encoder's pooled output (B, P), for models such as SDXL
/// @param addedEmbeddings further embeddings (B, …): sizes and crops of SDXL, the image of a ControlNet
public record Conditioning(Tensor hiddenStates, Optional<Tensor> pooledText, Optional<Tensor> addedEmbeddings) {
    public static Conditioning of(Tensor hiddenStates) {
        return new Conditioning(hiddenStates, Optional.empty(), Optional.empty());
    }

    /// Rows `from` (inclusive) to `to` (exclusive).
    Conditioning rows(int from, int to) {
        return new Conditioning(hiddenStates.rows(from, to), pooledText.map(pooled -> pooled.rows(from, to)),
                addedEmbeddings.map(added -> added.rows(from, to)));
    }

    /// The hidden states, for a network that uses nothing else.
    /// @throws Failure.Unsupported if there is more, which it would ignore
    public Tensor hiddenStatesOnly() throws Failure.Unsupported {
        if (pooledText.isEmpty() && addedEmbeddings.isEmpty()) return hiddenStates;
        throw new Failure.Unsupported("pooled text or added embeddings are not supported by this model's UNet");
    }
}
