package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.data.DiffusionObjective;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.optimize.LearningRates;
import atomstudio.tuning.torch.BatchConditioning;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.DenoisingLossOptions;
import atomstudio.tuning.torch.TorchEngine;
import atomstudio.tuning.torch.TorchSettings;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Compares training with reference values: the loss of one batch, and for each method the gradients at a random
/// point, the losses over five steps of AdamW from there, and the parameters after them.
final class TrainingGolden {
    private static final double TOLERANCE = 1e-3;
    private static final double LEARNING_RATE = 1e-2;
    private static final double GAMMA = 5;

    /// A method in the golden file. The reference trains `lora` with weight decay.
    private record GoldenMethod(String name, TuningMethod method, double weightDecay) {
        /// The golden file's name of a parameter; LoRA's are peft's.
        String key(String group, ParameterLayout.LayerParameter entry) {
            String slot = name.equals("lora") ? "lora_" + entry.spec().name() + ".weight" : entry.spec().name();
            return name + "." + group + "." + entry.layer().name() + "." + slot;
        }
    }

    private static final List<GoldenMethod> METHODS = List.of(goldenMethod(MethodName.ATOMS, 0),
            goldenMethod(MethodName.OVERCOMPLETE, 0), goldenMethod(MethodName.CHANNELS, 0),
            goldenMethod(MethodName.LORA, 1e-2));

    /// The golden file uses the default settings: m = 9, m1 = 3, k_c = 4, r = 4.
    private static GoldenMethod goldenMethod(MethodName choice, double weightDecay) {
        return new GoldenMethod(choice.option(), MethodSettings.of(choice).method(), weightDecay);
    }

    /// The deviations from the golden file, and its methods that are not implemented.
    record GoldenComparison(List<Deviation> deviations, List<String> unsupported) {}

    private final SafetensorsFile golden;
    private final TorchEngine engine;
    private final DiffusionObjective objective;
    private final List<Deviation> deviations = new ArrayList<>();

    private TrainingGolden(SafetensorsFile golden, TorchEngine engine, DiffusionObjective objective) {
        this.golden = golden;
        this.engine = engine;
        this.objective = objective;
    }

    /// Whether these are the tensor names of such a golden file.
    static boolean matches(Set<String> names) {
        return names.contains("noisy") && names.contains("target") && names.contains("loss");
    }

    /// @param model the one that the golden file's metadata names
    static GoldenComparison compare(SafetensorsFile golden, DiffusionModel model, Device device,
            TorchSettings settings) throws Failure {
        try (TorchEngine engine = TorchEngine.open(model, device, settings)) {
            DiffusionObjective objective = new DiffusionObjective(NoiseSchedule.of(model.scheduler()),
                    model.scheduler().predictionType());
            return new TrainingGolden(golden, engine, objective).run(model);
        }
    }

    private GoldenComparison run(DiffusionModel model) throws Failure {
        float[] timesteps = golden.read("timesteps").data();
        Tensor latents = golden.read("latents");
        Tensor noise = golden.read("noise");
        add("noisy", objective.addNoise(latents, noise, timesteps));
        add("target", objective.target(latents, noise, timesteps));
        loss("loss", model, batch(Tensor.filled(Shape.of(timesteps.length), 1)));
        loss("loss.min_snr_5", model, batch(objective.minSnrWeights(timesteps, GAMMA)));
        Set<String> unsupported = new LinkedHashSet<>();
        for (String name : golden.tensors().keySet())
            if (name.endsWith(".losses")) unsupported.add(name.substring(0, name.length() - ".losses".length()));
        for (GoldenMethod method : METHODS)
            if (unsupported.remove(method.name))
                compareMethod(method, ParameterLayout.of(method.method, model.unet().layers()));
        return new GoldenComparison(deviations, List.copyOf(unsupported));
    }

    private TrainingBatch batch(Tensor weights) {
        return new TrainingBatch(golden.read("noisy"), golden.read("timesteps").data(),
                new BatchConditioning.Embedded(golden.read("encoder_hidden_states")), golden.read("target"),
                weights.reshape(Shape.of(weights.shape().size(0), 1, 1, 1)));
    }

    /// The loss of the base model.
    private void loss(String name, DiffusionModel model, TrainingBatch batch) throws Failure {
        ParameterLayout layout = ParameterLayout.of(new FilterAtoms(9), model.unet().layers());
        try (DenoisingLoss denoisingLoss = engine.denoisingLoss(new DenoisingLossOptions(layout, Map.of()))) {
            add(name, new Tensor(Shape.of(1),
                    new float[] {(float) denoisingLoss.loss(new float[layout.size()], batch)}));
        }
    }

    private void compareMethod(GoldenMethod method, ParameterLayout layout) throws Failure {
        float[] parameters = startVector(method, layout);
        AdamW optimizer = new AdamW(parameters.length);
        TrainingBatch batch = batch(Tensor.filled(Shape.of(golden.read("timesteps").data().length), 1));
        Tensor expected = golden.read(method.name + ".losses");
        float[] losses = new float[expected.data().length];
        try (DenoisingLoss denoisingLoss = engine.denoisingLoss(new DenoisingLossOptions(layout, Map.of()))) {
            for (int step = 0; step < losses.length; step++) {
                DenoisingLoss.Gradient gradient = denoisingLoss.gradient(parameters, batch);
                losses[step] = (float) gradient.loss();
                if (step == 0) compare(method, "grad", layout, gradient.vector());
                if (step < losses.length - 1)
                    optimizer.step(parameters, gradient.vector(),
                            LearningRates.uniform(LEARNING_RATE, parameters.length, method.weightDecay));
            }
        }
        deviations.add(
                Deviation.relative(method.name + ".losses", expected, new Tensor(expected.shape(), losses), TOLERANCE));
        compare(method, "end", layout, parameters);
    }

    private float[] startVector(GoldenMethod method, ParameterLayout layout) {
        Map<String, Tensor> start = new HashMap<>();
        for (ParameterLayout.LayerParameter entry : layout.trained())
            start.put(entry.key(), golden.read(method.key("start", entry)));
        return layout.toVector(start);
    }

    private void compare(GoldenMethod method, String group, ParameterLayout layout, float[] vector) {
        Map<String, Tensor> found = layout.fromVector(vector);
        for (ParameterLayout.LayerParameter entry : layout.trained())
            add(method.key(group, entry), found.get(entry.key()));
    }

    private void add(String name, Tensor found) {
        if (golden.has(name)) deviations.add(Deviation.relative(name, golden.read(name), found, TOLERANCE));
    }
}
