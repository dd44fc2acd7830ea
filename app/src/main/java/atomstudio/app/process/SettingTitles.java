package atomstudio.app.process;

import atomstudio.app.process.SettingTitles;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodSetting;
import atomstudio.tuning.method.MethodSettings.MethodName;

/// Titles of method and training settings in the window.
public final class SettingTitles {
    private SettingTitles() {}

    public static String of(MethodSetting setting) {
        return switch (setting) {
            case ATOMS -> "Atoms";
            case M1 -> "Inner atoms";
            case CODING -> "Atom decomposition";
            case CHANNEL_BLOCK -> "Channel block";
            case CHANNEL_ATOMS -> "Channel atoms";
            case RANK -> "Rank";
            case ALPHA -> "Alpha";
            case SIDE -> "Rotated channels";
            case BLOCK -> "Block size";
            case LAYERS -> "Layers";
            case ALSO -> "Combine with";
            case TEXT_ENCODER -> "Train text encoder (LoRA)";
        };
    }

    public static String of(TrainingSetting setting) {
        return switch (setting) {
            case STEPS -> "Steps";
            case RATE -> "Learning rate";
            case ALSO_RATE -> "Combined method LR";
            case WORD_RATE -> "Trigger word LR";
            case TEXT_ENCODER_RATE -> "Text encoder LR";
            case SEED -> "Seed";
            case WARMUP -> "Warm-up steps";
            case DECAY -> "LR scheduler";
            case OPTIMIZER -> "Optimizer";
            case BATCH -> "Batch size";
            case ACCUMULATE -> "Gradient accumulation";
            case EMA -> "EMA decay";
            case SIZE -> "Resolution";
            case CROP -> "Cropping";
            case FLIP -> "Horizontal flip";
            case CAPTIONS -> "Use captions";
            case CAPTION_TEMPLATE -> "Caption template";
            case MASKS -> "Use masks";
            case BANK -> "Cached noise samples";
            case MIN_SNR -> "Min-SNR γ";
            case NOISE_OFFSET -> "Noise offset";
            case PRIOR -> "Class images";
            case PRIOR_WEIGHT -> "Prior loss weight";
            case PREVIEW_EVERY -> "Preview interval";
            case VALIDATE -> "Validation";
            case STOP_EARLY -> "Early stopping";
            case PRECISION -> "Precision of frozen weights";
            case CHECKPOINTING -> "Gradient checkpointing";
        };
    }

    /// `Rank 8`, `Combine with Textual inversion`, `Train text encoder (LoRA)`.
    public static String describe(MethodSetting setting, String value) {
        return switch (setting) {
            case TEXT_ENCODER -> of(setting);
            case ALSO -> of(setting) + " " + MethodName.ofOption(value).displayName();
            case ATOMS, M1, CODING, CHANNEL_BLOCK, CHANNEL_ATOMS, RANK, ALPHA, SIDE, BLOCK, LAYERS ->
                    of(setting) + " " + value;
        };
    }

    /// `Steps 50`, `Horizontal flip`.
    public static String describe(TrainingSetting setting, String value) {
        return setting.isFlag() ? of(setting) : of(setting) + " " + value;
    }
}
