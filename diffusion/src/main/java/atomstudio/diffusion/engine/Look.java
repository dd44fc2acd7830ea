package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Inventory;
import atomstudio.diffusion.model.ModelFolder;
import atomstudio.diffusion.ops.DryRun;
import atomstudio.diffusion.picture.Picture;
import atomstudio.diffusion.tensor.Tensor;

/// Shows quickly what a picture becomes, while it is being sampled. On the thread of the engine.
@FunctionalInterface
public interface Look {
    /// @param clean latents (1,C,h,w) that the network sees in the noise, multiplied by the scaling factor
    /// @return a picture of these latents' proportions, not always of the final size
    Picture of(Tensor clean) throws Failure;

    /// The best that costs little beside a step: a small model's own decoder, a linear look at a large one's latents.
    static Look cheap(ModelFolder model, Engine engine) throws Failure {
        long parameters = DryRun.parameters(Inventory.of(model.vae()));
        return parameters <= LinearLook.MOST_PARAMETERS ? latents -> Picture.of(new Decoder(model, engine, FreeMemory::bytes, unheard -> {}).decode(latents)) : LinearLook.fit(model, engine);
    }
}
