package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.NetworkLayers;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.FilterAtoms;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.method.MethodSettings.MethodName;
import atomstudio.tuning.method.ParameterLayout;
import atomstudio.tuning.method.TuningMethod;
import atomstudio.tuning.optimize.AdamW;
import atomstudio.tuning.torch.Conditioning;
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

/// Reference values of training: the loss of one batch, and for each method the gradients at a random point, the losses over five
/// steps of AdamW from there, and the numbers at their end.
public final class TuningGolden {
    private static final double TOLERANCE = 1e-3;
    private static final double RATE = 1e-2;
    private static final double GAMMA = 5;

    /// What the golden holds for one method. The reference trains `lora` with weight decay.
    private record Kind(String name, TuningMethod method, double decay) {
        /// The golden's name of a slot; LoRA's are peft's.
        String key(String group, ParameterLayout.LayerParameter entry) {
            String slot = name.equals("lora") ? "lora_" + entry.spec().name() + ".weight" : entry.spec().name();
            return name + "." + group + "." + entry.layer().name() + "." + slot;
        }
    }

    private static final List<Kind> KINDS = List.of(kind(MethodName.ATOMS, 0), kind(MethodName.OVERCOMPLETE, 0), kind(MethodName.CHANNELS, 0), kind(MethodName.LORA, 1e-2));

    /// The golden's settings are the defaults: m = 9, m1 = 3, k_c = 4, r = 4.
    private static Kind kind(MethodName choice, double decay) {
        return new Kind(choice.option(), MethodSettings.of(choice).method(), decay);
    }

    /// How far everything that is built is from the golden, and the kinds in it that are not built.
    public record Comparison(List<Deviation> deviations, List<String> notBuilt) {}

    private final SafetensorsFile golden;
    private final TorchEngine engine;
    private final Noising noising;
    private final List<Deviation> deviations = new ArrayList<>();

    private TuningGolden(SafetensorsFile golden, TorchEngine engine, Noising noising) {
        this.golden = golden;
        this.engine = engine;
        this.noising = noising;
    }

    /// Whether these tensor names are such a golden's.
    public static boolean matches(Set<String> names) {
        return names.contains("noisy") && names.contains("target") && names.contains("loss");
    }

    /// Runs everything that the golden holds.
    /// @param model the model that the golden's metadata name
    public static Comparison compare(SafetensorsFile golden, DiffusionModel model, Device device, TorchSettings settings) throws Failure {
        try (TorchEngine engine = TorchEngine.open(model, device, settings)) {
            Noising noising = new Noising(NoiseSchedule.of(model.scheduler()), model.scheduler().predictionType());
            return new TuningGolden(golden, engine, noising).run(model);
        }
    }

    private Comparison run(DiffusionModel model) throws Failure {
        float[] timesteps = golden.read("timesteps").data();
        Tensor latents = golden.read("latents");
        Tensor noise = golden.read("noise");
        add("noisy", noising.noisy(latents, noise, timesteps));
        add("target", noising.target(latents, noise, timesteps));
        loss("loss", model, batch(Tensor.filled(Shape.of(timesteps.length), 1)));
        loss("loss.min_snr_5", model, batch(noising.minSnrWeights(timesteps, GAMMA)));
        Set<String> others = new LinkedHashSet<>();
        for (String name : golden.tensors().keySet()) if (name.endsWith(".losses")) others.add(name.substring(0, name.length() - ".losses".length()));
        for (Kind kind : KINDS) if (others.remove(kind.name)) tune(kind, ParameterLayout.of(kind.method, NetworkLayers.of(model.unet())));
        return new Comparison(deviations, List.copyOf(others));
    }

    private TrainingBatch batch(Tensor weights) {
        return new TrainingBatch(golden.read("noisy"), golden.read("timesteps").data(), new Conditioning.Embedded(golden.read("encoder_hidden_states")), golden.read("target"), weights.reshape(Shape.of(weights.shape().size(0), 1, 1, 1)));
    }

    /// The untuned network's loss.
    private void loss(String name, DiffusionModel model, TrainingBatch batch) throws Failure {
        ParameterLayout layout = ParameterLayout.of(new FilterAtoms(9), NetworkLayers.of(model.unet()));
        try (DenoisingLoss differentiation = engine.denoisingLoss(new DenoisingLossOptions(layout, Map.of()))) {
            add(name, new Tensor(Shape.of(1), new float[] {(float) differentiation.loss(new float[layout.size()], batch)}));
        }
    }

    private void tune(Kind kind, ParameterLayout layout) throws Failure {
        float[] numbers = vector(kind, layout);
        AdamW adam = new AdamW(numbers.length, kind.decay);
        TrainingBatch batch = batch(Tensor.filled(Shape.of(golden.read("timesteps").data().length), 1));
        Tensor expected = golden.read(kind.name + ".losses");
        float[] losses = new float[expected.data().length];
        try (DenoisingLoss differentiation = engine.denoisingLoss(new DenoisingLossOptions(layout, Map.of()))) {
            for (int step = 0; step < losses.length; step++) {
                DenoisingLoss.Gradient gradient = differentiation.gradient(numbers, batch);
                losses[step] = (float) gradient.loss();
                if (step == 0) compare(kind, "grad", layout, gradient.vector());
                if (step < losses.length - 1) adam.step(numbers, gradient.vector(), RATE);
            }
        }
        deviations.add(Deviation.relative(kind.name + ".losses", expected, new Tensor(expected.shape(), losses), TOLERANCE));
        compare(kind, "end", layout, numbers);
    }

    private float[] vector(Kind kind, ParameterLayout layout) {
        Map<String, Tensor> start = new HashMap<>();
        for (ParameterLayout.LayerParameter entry : layout.trained()) start.put(entry.key(), golden.read(kind.key("start", entry)));
        return layout.toVector(start);
    }

    private void compare(Kind kind, String group, ParameterLayout layout, float[] vector) {
        Map<String, Tensor> found = layout.fromVector(vector);
        for (ParameterLayout.LayerParameter entry : layout.trained()) add(kind.key(group, entry), found.get(entry.key()));
    }

    private void add(String name, Tensor found) {
        if (golden.has(name)) deviations.add(Deviation.relative(name, golden.read(name), found, TOLERANCE));
    }
}
