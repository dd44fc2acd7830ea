package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.LayerWeights;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// Runs the UNet on one engine, where it is fastest, and all other networks on another. Owns both.
public record SplitEngine(Engine unet, Engine others) implements Engine {
    @Override
    public Tensor encodeText(int[][] ids, int clipSkip, List<WeightedAdapter> adapters) throws Failure {
        return others.encodeText(ids, clipSkip, adapters);
    }

    @Override
    public Tensor predictNoise(Tensor latents, float[] timesteps, Tensor context, List<WeightedAdapter> adapters)
            throws Failure {
        return unet.predictNoise(latents, timesteps, context, adapters);
    }

    @Override
    public Tensor decode(Tensor latents) throws Failure {
        return others.decode(latents);
    }

    @Override
    public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return others.decodeHead(latents, levels);
    }

    @Override
    public Tensor decodeTile(Tensor features, int level, List<LayerWeights<Tensor>> norms) throws Failure {
        return others.decodeTile(features, level, norms);
    }

    @Override
    public LatentDistribution encode(Tensor images) throws Failure {
        return others.encode(images);
    }

    @Override
    public Tensor embedImages(Tensor images) throws Failure {
        return others.embedImages(images);
    }

    @Override
    public Tensor embedText(int[][] ids) throws Failure {
        return others.embedText(ids);
    }

    @Override
    public void checkFiles() throws Failure.Unreadable {
        others.checkFiles();
        unet.checkFiles();
    }

    @Override
    public ComputePrecision precision() {
        return unet.precision();
    }

    @Override
    public void useFullPrecision() throws Failure {
        unet.useFullPrecision();
    }

    @Override
    public boolean enableAttentionSlicing() {
        return unet.enableAttentionSlicing();
    }

    @Override
    public void close() {
        unet.close();
        others.close();
    }
}
