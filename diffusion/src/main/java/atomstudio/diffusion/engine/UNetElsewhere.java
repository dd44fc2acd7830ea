package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.ops.Affine;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;

/// One model on two engines: the UNet, which runs in every step, where it is fastest, and everything else on the other. Owns both.
public record UNetElsewhere(Engine unet, Engine others) implements Engine {
    @Override public Tensor encodeText(int[][] ids, int clipSkip, List<Applied> adapters) throws Failure {
        return others.encodeText(ids, clipSkip, adapters);
    }

    @Override public Tensor predict(Tensor latents, float[] timesteps, Tensor context, List<Applied> adapters) throws Failure {
        return unet.predict(latents, timesteps, context, adapters);
    }

    @Override public Tensor decode(Tensor latents) throws Failure {
        return others.decode(latents);
    }

    @Override public Tensor decodeHead(Tensor latents, int levels) throws Failure {
        return others.decodeHead(latents, levels);
    }

    @Override public Tensor decodeTile(Tensor features, int level, List<Affine<Tensor>> norms) throws Failure {
        return others.decodeTile(features, level, norms);
    }

    @Override public Moments encode(Tensor pictures) throws Failure {
        return others.encode(pictures);
    }

    @Override public Tensor embedPictures(Tensor pictures) throws Failure {
        return others.embedPictures(pictures);
    }

    @Override public Tensor embedText(int[][] ids) throws Failure {
        return others.embedText(ids);
    }

    @Override public void check() throws Failure.Unreadable {
        others.check();
        unet.check();
    }

    @Override public Width width() {
        return unet.width();
    }

    @Override public void widen() throws Failure {
        unet.widen();
    }

    @Override public boolean slice() {
        return unet.slice();
    }

    @Override public void close() {
        unet.close();
        others.close();
    }
}
