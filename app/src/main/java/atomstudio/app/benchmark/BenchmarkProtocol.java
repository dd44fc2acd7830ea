package atomstudio.app.benchmark;

import java.util.Locale;

/// How images are compared and values averaged. Both protocols are scored from the same images: embeddings are stored,
/// not scores.
public enum BenchmarkProtocol {
    /// Ruiz et al. 2022: the mean over photos, images, prompts and seeds of each subject, then over subjects. DINO
    /// input: shorter side to 256, centre crop of 224, as in DINO's own evaluation.
    DREAMBOOTH("mean over the photos, images, prompts and seeds of each subject, then over the subjects",
            "shorter side to 256, centre crop of 224"),
    /// Qiu et al. 2023, "Controlling Text-to-Image Diffusion by Orthogonal Finetuning": all pairs are pooled, so that a
    /// subject with six photos weighs 1.5 times one with four. DINO input: resized to 224, as by transformers.
    OFT("mean over all pairs of an image and a photo, so that subjects with more photos weigh more",
            "resized to 224 without a crop");

    private final String averaging;
    private final String dinoInput;

    BenchmarkProtocol(String averaging, String dinoInput) {
        this.averaging = averaging;
        this.dinoInput = dinoInput;
    }

    /// In options and files.
    public String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    String averaging() {
        return averaging;
    }

    String dinoInput() {
        return dinoInput;
    }

    /// Whether each subject has the weight of its pairs, instead of an equal one.
    boolean poolsPairs() {
        return this == OFT;
    }

    /// Name of the DINO embeddings in a run's file.
    String dinoTensor() {
        return this == DREAMBOOTH ? "dino-crop" : "dino-resize";
    }
}
