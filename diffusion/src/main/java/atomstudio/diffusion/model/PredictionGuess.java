package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What the UNet of a single file predicts. Few files say so; for the others the best that can be told without running them.
/// @param type   as diffusers writes it
/// @param reason why it is thought so
/// @param ground whether somebody said so
record PredictionGuess(String type, String reason, Ground ground) {
    enum Ground { SAID, GUESSED }

    private static final String V = "v_prediction";
    private static final String EPSILON = "epsilon";
    private static final Map<String, String> NAMES = Map.of("eps", EPSILON, EPSILON, EPSILON, "v", V, V, V, "v-prediction", V, "v_pred", V, "vpred", V, "x0", "sample", "sample", "sample");
    /// Training steps at which the published base models of the second generation were saved. Source: diffusers, convert_from_ckpt.py; stabilityai/stable-diffusion-2-1-base.
    private static final Map<String, String> PUBLISHED = Map.of("875000", EPSILON, "220000", EPSILON, "140000", V, "110000", V);
    /// Between the base models' value and that of those that predict v, in the norm before the last transformer. Source: ComfyUI, comfy/supported_models.py, SD20.
    private static final double SPREAD = 0.09;

    /// Everything that may speak.
    /// @param second   whether the UNet is of the second generation
    /// @param inpaints whether it takes a mask
    /// @param telltale key of the last transformer's first norm's bias
    record Evidence(TensorFile file, Sidecar sidecar, boolean second, boolean inpaints, String telltale) {}

    /// What a person says counts, whatever speaks against it.
    static PredictionGuess said(PredictionType prediction) {
        return new PredictionGuess(switch (prediction) {
            case EPSILON -> EPSILON;
            case V -> V;
            case SAMPLE -> "sample";
        }, "as asked for", Ground.SAID);
    }

    boolean ofVelocity() {
        return type.equals(V);
    }

    static PredictionGuess of(Evidence evidence) throws Failure {
        Optional<PredictionGuess> said = said(evidence);
        if (said.isPresent()) return said.get();
        String name = evidence.file.file().getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.matches(".*(v-?_?pred|v-?_?prediction|vpred).*")) return guessed(V, "its name says so");
        if (!evidence.second) return guessed(EPSILON, "as all published models of the first generation");
        if (evidence.inpaints) return guessed(EPSILON, "as the published inpainting models");
        String step = evidence.file.metadata().get("global_step");
        if (step != null && PUBLISHED.containsKey(step)) return guessed(PUBLISHED.get(step), "global_step " + step + " is that of a published model");
        if (evidence.file.has(evidence.telltale)) {
            double spread = deviation(evidence.file.read(evidence.telltale));
            return guessed(spread > SPREAD ? V : EPSILON, String.format(Locale.ROOT, "the last transformer's norm1.bias spreads by %.3f; %s %.2f means %s", spread, spread > SPREAD ? "over" : "up to", SPREAD, spread > SPREAD ? "v" : "noise"));
        }
        return guessed(name.contains("768") ? V : EPSILON, "from its name");
    }

    private static Optional<PredictionGuess> said(Evidence evidence) throws Failure {
        Optional<String> beside = evidence.sidecar.text("scheduler", "prediction_type");
        if (beside.isPresent()) return Optional.of(said(beside.get(), "its configuration says so"));
        Optional<String> yaml = evidence.sidecar.parameterization();
        if (yaml.isPresent() && NAMES.containsKey(yaml.get())) return Optional.of(said(NAMES.get(yaml.get()), "the .yaml beside it says so"));
        for (String key : new String[] {"modelspec.prediction_type", "prediction_type"}) {
            String type = evidence.file.metadata().getOrDefault(key, "").toLowerCase(Locale.ROOT);
            if (NAMES.containsKey(type)) return Optional.of(said(NAMES.get(type), "its metadata says so"));
        }
        if (evidence.file.has("v_pred")) return Optional.of(said(V, "it has a tensor v_pred"));
        return Optional.empty();
    }

    private static PredictionGuess said(String type, String reason) {
        return new PredictionGuess(type, reason, Ground.SAID);
    }

    private static PredictionGuess guessed(String type, String reason) {
        return new PredictionGuess(type, reason, Ground.GUESSED);
    }

    private static double deviation(Tensor tensor) {
        double sum = 0;
        double squares = 0;
        for (float number : tensor.data()) {
            sum += number;
            squares += (double) number * number;
        }
        double mean = sum / tensor.data().length;
        return Math.sqrt(Math.max(0, squares / tensor.data().length - mean * mean));
    }
}
