package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// An autoencoder that can decode in parts, for [TiledDecoding].
public interface TileDecoder {
    /// The decoder up to level `levels`: latents divided by the scaling factor -> the input of that level.
    Tensor decodeHead(Tensor latents, int levels) throws Failure;

    /// One level of the decoder on a tile: [atomstudio.diffusion.net.Vae#decodeTile].
    Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure;
}
