package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.TensorFile;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a file of tensors is when it is no Stable Diffusion 1.x or 2.x, told from its names.
final class Refusals {
    /// Something that single files are, and a part of a tensor's name that only it has.
    private record Kind(String mark, String what) {}

    private static final String NOT_RUN = ", which cannot be run here; Stable Diffusion 1.x and 2.x can";
    /// How training programs begin the names of the running mean of a UNet's weights.
    private static final String MEAN = "model_ema.";
    private static final String NO_MODEL = "; give the model itself with --model (in the window: Models)";
    /// In this order: the marks of the first are more telling.
    private static final List<Kind> KINDS = List.of(
            new Kind("atomstudio", "an adapter" + NO_MODEL + " and this file with --adapter (in the window: Generate only, + adapter)"),
            new Kind(".lora_", "a LoRA, not a model" + NO_MODEL),
            new Kind("_lora.", "a LoRA, not a model" + NO_MODEL),
            new Kind("unet:0:", "a LoRA, not a model" + NO_MODEL),
            new Kind("lora_unet_", "a LoRA, not a model" + NO_MODEL),
            new Kind("lora_te", "a LoRA, not a model" + NO_MODEL),
            new Kind(".hada_w", "a LoHa adapter, not a model" + NO_MODEL),
            new Kind(".lokr_w", "a LoKr adapter, not a model" + NO_MODEL),
            new Kind("conditioner.embedders.", "Stable Diffusion XL" + NOT_RUN),
            new Kind("joint_blocks.", "Stable Diffusion 3" + NOT_RUN),
            new Kind("double_blocks.", "a Flux model" + NOT_RUN),
            new Kind("single_transformer_blocks.", "a Flux model in diffusers' layout" + NOT_RUN),
            new Kind("time_stack", "a video model" + NOT_RUN),
            new Kind("temporal_transformer", "a motion module of AnimateDiff" + NOT_RUN),
            new Kind("control_model.", "a ControlNet" + NOT_RUN),
            new Kind("controlnet_cond_embedding.", "a ControlNet" + NOT_RUN),
            new Kind("depth_model.", "Stable Diffusion 2 with depth" + NOT_RUN),
            new Kind("embedder.model.visual.", "Stable unCLIP" + NOT_RUN),
            new Kind("low_scale_model.", "an upscaler" + NOT_RUN),
            new Kind("effnet.", "Stable Cascade" + NOT_RUN),
            new Kind("string_to_param", "an embedding of textual inversion, not a model" + NO_MODEL + " and this file with --adapter (in the window: Generate only, + adapter)"),
            new Kind("emb_params", "an embedding of textual inversion, not a model" + NO_MODEL + " and this file with --adapter (in the window: Generate only, + adapter)"));

    /// Parts of a model in files of their own, by how their tensors' names begin.
    private static final List<Kind> ALONE = List.of(
            new Kind(MEAN, "a checkpoint that keeps its UNet only as a running mean of its training (model_ema.…), which cannot be read; get the model as it is used, with tensors " + OriginalLayout.UNET + "…"),
            new Kind("down_blocks.0.resnets.0.", "a UNet alone, in diffusers' layout: put it into a model folder as unet/diffusion_pytorch_model.safetensors"),
            new Kind("decoder.conv_in.", "an autoencoder alone: give it with --vae, and the model with --model"),
            new Kind("text_model.encoder.", "a text encoder alone: put it into a model folder as text_encoder/model.safetensors"));
    /// What programs leave beside a model: a file with a UNet is a model all the same.
    private static final Set<String> LEFTOVERS = Set.of("string_to_param", "emb_params", ".lora_", "_lora.", "lora_te");

    private Refusals() {}

    /// Refuses a file that is known to be something else.
    static void others(TensorFile file) throws Failure {
        boolean model = file.tensors().keySet().stream().anyMatch(name -> name.startsWith(OriginalLayout.UNET) || name.startsWith(MEAN));
        Optional<Kind> kind = KINDS.stream().filter(known -> !model || !LEFTOVERS.contains(known.mark)).filter(known -> has(file.tensors().keySet(), known.mark) || file.metadata().keySet().stream().anyMatch(key -> key.startsWith(known.mark))).findFirst();
        if (kind.isPresent()) throw new Failure.Incompatible(file.file() + ": is " + kind.get().what);
    }

    /// A file without a UNet of the original layout.
    static Failure withoutUNet(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        if (TinyAutoencoder.recognizes(names)) return new Failure.Incompatible(file.file() + ": is a decoder for previews: give it with --preview (in the window: Settings), and the model with --model (in the window: Models)");
        Optional<String> what = ALONE.stream().filter(known -> names.stream().anyMatch(name -> name.startsWith(known.mark))).map(Kind::what).findFirst();
        return new Failure.Incompatible(file.file() + ": " + what.map(known -> "is " + known).orElse("is no Stable Diffusion in one file: expected tensors " + OriginalLayout.UNET + "…, " + OriginalLayout.VAE
                + "… and cond_stage_model.…, found " + (names.isEmpty() ? "none" : names.size() + " others, the first " + SafeText.of(names.iterator().next()))));
    }

    private static boolean has(Set<String> names, String mark) {
        return names.stream().anyMatch(name -> name.contains(mark));
    }
}
