package atomstudio.tuning.export;

/// What a file of an adapter lacks, or which programs read less of it than others.
public enum ExportLimit {
    /// Layers of another method that the format does not have.
    OTHER_LAYERS("Layers of other methods are not included."),
    BIASES_ALONE("ComfyUI and Forge read biases without weights; for other programs, export as "
            + ExportLimit.DIFF + "."),
    DORA_NORMS("diffusers leaves out DoRA's norms; for it, export as peft. ComfyUI and Forge divide by the norm of the "
            + "base weight, InvokeAI by that of inputs; for them, export as " + ExportLimit.DIFF + "."),
    GLORA("InvokeAI does not read GLoRA; for it, export as " + ExportLimit.DIFF + "."),
    FACTORED_LOKR("InvokeAI does not find the base model of LoKr with a factored second matrix; for it, export as "
            + ExportLimit.DIFF + "."),
    OFT("Forge and InvokeAI do not read OFT; for them, export as " + ExportLimit.DIFF + "."),
    /// Of OFT with trained scales of outputs.
    RESCALED("ComfyUI leaves out the scales of rescaled OFT; for it, export as " + ExportLimit.DIFF + "."),
    /// Fewer blocks than channels in a block.
    FEW_BLOCKS("LyCORIS does not read layers with fewer blocks than channels in a block; for it, export as "
            + ExportLimit.DIFF + ".");

    private static final String DIFF = "diff";

    private final String sentence;

    ExportLimit(String sentence) {
        this.sentence = sentence;
    }

    /// For the command line.
    public String sentence() {
        return sentence;
    }
}
