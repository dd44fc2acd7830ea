package atomstudio.diffusion.model;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.diffusion.tensor.TensorFile;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The prediction type of a single file's UNet: declared by the user, configuration or metadata, or else inferred
/// without running the model.
/// @param type diffusers' prediction_type
/// @param reason of the inference, for messages
record DetectedPredictionType(String type, String reason, Basis basis) {
    enum Basis { DECLARED, INFERRED }

    private static final String V_PREDICTION = "v_prediction";
    private static final String EPSILON = "epsilon";
    private static final Map<String, String> ALIASES = Map.of("eps", EPSILON, EPSILON, EPSILON, "v", V_PREDICTION,
            V_PREDICTION, V_PREDICTION, "v-prediction", V_PREDICTION, "v_pred", V_PREDICTION, "vpred", V_PREDICTION,
            "x0", "sample", "sample", "sample");
    /// Training steps of the published base models of Stable Diffusion 2.
    /// Source: diffusers, convert_from_ckpt.py; stabilityai/stable-diffusion-2-1-base.
    private static final Map<String, String> PUBLISHED_GLOBAL_STEPS = Map.of("875000", EPSILON, "220000", EPSILON,
            "140000", V_PREDICTION, "110000", V_PREDICTION);
    /// Threshold on the standard deviation of the last transformer's norm1.bias, between epsilon and v models.
    /// Source: ComfyUI, comfy/supported_models.py, SD20.
    private static final double V_STD_THRESHOLD = 0.09;

    /// The inputs of the detection.
    /// @param isSd2 whether the UNet is of Stable Diffusion 2
    /// @param probeKey key of the last transformer's norm1.bias
    record Evidence(TensorFile file, Sidecar sidecar, boolean isSd2, boolean isInpainting, String probeKey) {}

    /// The user's choice, which overrides detection.
    static DetectedPredictionType declared(PredictionType prediction) {
        return new DetectedPredictionType(switch (prediction) {
            case EPSILON -> EPSILON;
            case V -> V_PREDICTION;
            case SAMPLE -> "sample";
        }, "chosen by the user", Basis.DECLARED);
    }

    boolean isVPrediction() { return type.equals(V_PREDICTION); }

    static DetectedPredictionType detect(Evidence evidence) throws Failure {
        Optional<DetectedPredictionType> declaredType = declared(evidence);
        if (declaredType.isPresent()) return declaredType.get();
        String name = evidence.file.file().getFileName().toString().toLowerCase(Locale.ROOT);
        if (name.matches(".*(v-?_?pred|v-?_?prediction|vpred).*")) return inferred(V_PREDICTION, "from the file name");
        if (!evidence.isSd2) return inferred(EPSILON, "as in all published Stable Diffusion 1 models");
        if (evidence.isInpainting) return inferred(EPSILON, "as in the published inpainting models");
        String globalStep = evidence.file.metadata().get("global_step");
        if (globalStep != null && PUBLISHED_GLOBAL_STEPS.containsKey(globalStep))
            return inferred(PUBLISHED_GLOBAL_STEPS.get(globalStep),
                    "global_step " + globalStep + " is that of a published model");
        if (evidence.file.has(evidence.probeKey)) {
            double std = standardDeviation(evidence.file.read(evidence.probeKey));
            return inferred(std > V_STD_THRESHOLD ? V_PREDICTION : EPSILON,
                    String.format(Locale.ROOT,
                            "the last transformer's norm1.bias has a standard deviation of %.3f; %s %.2f means %s",
                            std, std > V_STD_THRESHOLD ? "over" : "up to", V_STD_THRESHOLD,
                            std > V_STD_THRESHOLD ? "v" : "epsilon"));
        }
        return inferred(name.contains("768") ? V_PREDICTION : EPSILON, "from the file name");
    }

    private static Optional<DetectedPredictionType> declared(Evidence evidence) throws Failure {
        Optional<String> configured = evidence.sidecar.string("scheduler", "prediction_type");
        if (configured.isPresent()) return Optional.of(declared(configured.get(), "from its configuration"));
        Optional<String> yaml = evidence.sidecar.parameterization();
        if (yaml.isPresent() && ALIASES.containsKey(yaml.get()))
            return Optional.of(declared(ALIASES.get(yaml.get()), "from its .yaml file"));
        for (String key : new String[] {"modelspec.prediction_type", "prediction_type"}) {
            String type = evidence.file.metadata().getOrDefault(key, "").toLowerCase(Locale.ROOT);
            if (ALIASES.containsKey(type)) return Optional.of(declared(ALIASES.get(type), "from its metadata"));
        }
        if (evidence.file.has("v_pred")) return Optional.of(declared(V_PREDICTION, "it has a tensor v_pred"));
        return Optional.empty();
    }

    private static DetectedPredictionType declared(String type, String reason) {
        return new DetectedPredictionType(type, reason, Basis.DECLARED);
    }

    private static DetectedPredictionType inferred(String type, String reason) {
        return new DetectedPredictionType(type, reason, Basis.INFERRED);
    }

    private static double standardDeviation(Tensor tensor) {
        double sum = 0;
        double sumOfSquares = 0;
        for (float value : tensor.data()) {
            sum += value;
            sumOfSquares += (double) value * value;
        }
        double mean = sum / tensor.data().length;
        return Math.sqrt(Math.max(0, sumOfSquares / tensor.data().length - mean * mean));
    }
}
