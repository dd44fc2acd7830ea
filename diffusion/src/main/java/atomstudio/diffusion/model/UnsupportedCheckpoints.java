package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remedy;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.tensor.TensorFile;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Identifies tensor files that are not Stable Diffusion 1.x or 2.x models by their tensor names, for messages.
final class UnsupportedCheckpoints {
    /// A kind of file, and a part of a tensor name that identifies it.
    private record Signature(String marker, String description, Remedy... remedies) {}

    private static final String UNSUPPORTED = ", which is not supported; Stable Diffusion 1.x and 2.x are";
    /// Prefix of the EMA weights of a UNet.
    private static final String EMA_PREFIX = "model_ema.";
    /// In order of precedence: the first ones are more specific.
    private static final List<Signature> SIGNATURES = List.of(
            new Signature("atomstudio", "an adapter", Remedy.CHOOSE_MODEL,
                    Remedy.USE_AS_ADAPTER),
            new Signature(".lora_", "a LoRA, not a model", Remedy.CHOOSE_MODEL),
            new Signature("_lora.", "a LoRA, not a model", Remedy.CHOOSE_MODEL),
            new Signature("unet:0:", "a LoRA, not a model", Remedy.CHOOSE_MODEL),
            new Signature("lora_unet_", "a LoRA, not a model", Remedy.CHOOSE_MODEL),
            new Signature("lora_te", "a LoRA, not a model", Remedy.CHOOSE_MODEL),
            new Signature(".hada_w", "a LoHa adapter, not a model", Remedy.CHOOSE_MODEL),
            new Signature(".lokr_w", "a LoKr adapter, not a model", Remedy.CHOOSE_MODEL),
            new Signature(LdmLayout.UNET_PREFIX + "label_emb.",
                    "Stable Diffusion XL, its refiner or an upscaler" + UNSUPPORTED),
            new Signature("conditioner.embedders.", "Stable Diffusion XL" + UNSUPPORTED),
            new Signature("joint_blocks.", "Stable Diffusion 3" + UNSUPPORTED),
            new Signature("double_blocks.", "a Flux model" + UNSUPPORTED),
            new Signature("single_transformer_blocks.", "a Flux model in diffusers' layout" + UNSUPPORTED),
            new Signature("time_stack", "a video model" + UNSUPPORTED),
            new Signature("temporal_transformer", "an AnimateDiff motion module" + UNSUPPORTED),
            new Signature("control_model.", "a ControlNet" + UNSUPPORTED),
            new Signature("controlnet_cond_embedding.", "a ControlNet" + UNSUPPORTED),
            new Signature("depth_model.", "Stable Diffusion 2 with depth" + UNSUPPORTED),
            new Signature("embedder.model.visual.", "Stable unCLIP" + UNSUPPORTED),
            new Signature("low_scale_model.", "an upscaler" + UNSUPPORTED),
            new Signature("effnet.", "Stable Cascade" + UNSUPPORTED),
            new Signature("string_to_param", "a textual inversion embedding, not a model", Remedy.CHOOSE_MODEL,
                    Remedy.USE_AS_ADAPTER),
            new Signature("emb_params", "a textual inversion embedding, not a model", Remedy.CHOOSE_MODEL,
                    Remedy.USE_AS_ADAPTER));

    /// Single components of a model, by the prefix of their tensor names.
    private static final List<Signature> SINGLE_COMPONENTS = List.of(
            new Signature(EMA_PREFIX,
                    "a checkpoint with only the EMA weights of its UNet (model_ema.…), which is not supported; "
                            + "get the pruned model, with tensors " + LdmLayout.UNET_PREFIX + "…"),
            new Signature("down_blocks.0.resnets.0.",
                    "a UNet alone, in diffusers' layout: put it into a model folder as "
                            + "unet/diffusion_pytorch_model.safetensors"),
            new Signature("decoder.conv_in.", "an autoencoder alone", Remedy.CHOOSE_MODEL,
                    Remedy.USE_AS_AUTOENCODER),
            new Signature("text_model.encoder.",
                    "a text encoder alone: put it into a model folder as text_encoder/model.safetensors"));
    /// Markers that are ignored in a file with a UNet: programs save such tensors next to a model, and text encoders
    /// are named as in Stable Diffusion XL.
    private static final Set<String> EXTRAS_IN_MODELS = Set.of("string_to_param", "emb_params", ".lora_", "_lora.",
            "conditioner.embedders.",
            "lora_te");

    private UnsupportedCheckpoints() {}

    /// @throws Failure.Incompatible for a known file of another kind
    static void rejectKnown(TensorFile file) throws Failure {
        boolean hasUnet = file.tensors()
                .keySet()
                .stream()
                .anyMatch(name -> name.startsWith(LdmLayout.UNET_PREFIX) || name.startsWith(EMA_PREFIX));
        Optional<Signature> signature = SIGNATURES.stream()
                .filter(known -> !hasUnet || !EXTRAS_IN_MODELS.contains(known.marker))
                .filter(known -> anyContains(file.tensors().keySet(), known.marker)
                        || file.metadata().keySet().stream().anyMatch(key -> key.startsWith(known.marker)))
                .findFirst();
        if (signature.isPresent())
            throw new Failure.Incompatible(file.file() + ": is " + signature.get().description,
                    signature.get().remedies);
    }

    /// The failure for a file without a UNet in the LDM layout.
    static Failure missingUnet(TensorFile file) {
        Set<String> names = file.tensors().keySet();
        if (TensorFileKind.isTaesdDecoder(names))
            return new Failure.Incompatible(file.file()
                    + ": is a decoder for previews", Remedy.CHOOSE_MODEL, Remedy.USE_AS_PREVIEW_DECODER);
        Optional<Signature> component = SINGLE_COMPONENTS.stream()
                .filter(known -> names.stream().anyMatch(name -> name.startsWith(known.marker)))
                .findFirst();
        if (component.isPresent())
            return new Failure.Incompatible(file.file() + ": is " + component.get().description,
                    component.get().remedies);
        return new Failure.Incompatible(
                file.file() + ": is not a Stable Diffusion model: expected tensors " + LdmLayout.UNET_PREFIX + "…, "
                        + LdmLayout.VAE_PREFIX
                        + "… and cond_stage_model.…, found " + (names.isEmpty() ? "none"
                                : names.size() + " others, the first " + SafeText.of(names.iterator().next())));
    }

    private static boolean anyContains(Set<String> names, String marker) {
        return names.stream().anyMatch(name -> name.contains(marker));
    }
}
