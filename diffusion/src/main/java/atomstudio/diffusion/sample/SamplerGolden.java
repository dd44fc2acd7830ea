package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.Safetensors;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A reference sampler's trajectory through a formula that stands in for the network, compared step by step.
/// The metadata names the reference class (`scheduler`), its `config` as it is, `steps`, `seed` and `eta`.
public final class SamplerGolden {
    private static final double TOLERANCE = 1e-4;

    private SamplerGolden() {}

    public static boolean recognizes(Safetensors file) {
        return file.tensors().keySet().containsAll(List.of("initial", "timesteps"));
    }

    /// @throws Failure.NotBuilt for a sampler, or a setting of one, that this program does not have yet
    public static List<Deviation> verify(Path golden) throws Failure {
        try (Safetensors file = Safetensors.open(golden)) {
            String eta = file.metadata().getOrDefault("eta", "");
            if (!eta.isEmpty() && !eta.matches("0(\\.0*)?")) throw new Failure.NotBuilt(metadata(golden, file, "scheduler") + ": eta " + eta + " is not built yet");
            SchedulerConfig config = SchedulerConfig.parse(golden.toString(), metadata(golden, file, "config"));
            Plan plan = SamplerName.planClass(metadata(golden, file, "scheduler"), config, Math.toIntExact(number(golden, file, "steps")));
            return compare(file, plan, number(golden, file, "seed"));
        }
    }

    private static List<Deviation> compare(Safetensors file, Plan plan, long seed) throws Failure {
        Schedule schedule = plan.schedule();
        Comparison comparison = new Comparison(file, new ArrayList<>());
        List<Step> steps = schedule.steps();
        comparison.add("timesteps", vector(steps.stream().mapToDouble(Step::timestep).toArray()));
        if (file.has("sigmas")) {
            double[] ratios = new double[steps.size() + 1];
            for (int i = 0; i < steps.size(); i++) ratios[i] = steps.get(i).from().ratio();
            ratios[steps.size()] = steps.getLast().to().ratio();
            comparison.add("sigmas", vector(ratios));
        }
        TorchRandom generator = new TorchRandom(seed);
        Tensor noise = generator.randn(file.info("initial").shape());
        comparison.add("initial", Latents.scale(schedule.initialScale(), noise));
        List<Tensor> draws = new ArrayList<>();
        plan.run(Walk.fromNoise(standIn(schedule.prediction()), noise, shape -> {
            draws.add(generator.randn(shape));
            return draws.getLast();
        }).heardBy(progress -> {
            comparison.add("step.%03d".formatted(progress.done() - 1), progress.latents());
            return StepListener.Next.CONTINUE;
        }));
        for (int i = 0; i < draws.size(); i++) comparison.add("noise.%03d".formatted(i), draws.get(i));
        return comparison.deviations();
    }

    /// What was computed, by the name that it has in the file; names that only one side has are infinitely far.
    private record Comparison(Safetensors file, List<Map.Entry<String, Tensor>> found) {
        void add(String name, Tensor tensor) {
            found.add(Map.entry(name, tensor));
        }

        List<Deviation> deviations() throws Failure {
            List<Deviation> deviations = new ArrayList<>();
            List<String> left = new ArrayList<>(file.tensors().keySet());
            for (Map.Entry<String, Tensor> entry : found) {
                Tensor expected = left.remove(entry.getKey()) ? file.read(entry.getKey()) : vector();
                deviations.add(Deviation.relative(entry.getKey(), expected, entry.getValue(), TOLERANCE));
            }
            for (String name : left) deviations.add(Deviation.relative(name, file.read(name), vector(), TOLERANCE));
            return deviations;
        }
    }

    private static Tensor vector(double... numbers) {
        Tensor vector = Tensor.zeros(Shape.of(numbers.length));
        for (int i = 0; i < numbers.length; i++) vector.data()[i] = (float) numbers[i];
        return vector;
    }

    /// The formulas that the reference values were made with: smooth, and close to the truth for data of unit variance.
    private static Denoiser standIn(Prediction prediction) {
        return (latents, timestep) -> {
            Tensor output = Tensor.zeros(latents.shape());
            double t = timestep;
            for (int i = 0; i < output.data().length; i++) {
                double x = latents.data()[i];
                output.data()[i] = (float) switch (prediction) {
                    case EPSILON -> Math.tanh(t / 300) * x + 0.1 * Math.sin(3 * x);
                    case V -> 0.1 * Math.sin(3 * x) + 0.05 * Math.cos(t / 200);
                    case SAMPLE -> (1 - Math.tanh(t / 300)) * x + 0.1 * Math.sin(3 * x);
                };
            }
            return output;
        };
    }

    private static String metadata(Path golden, Safetensors file, String key) throws Failure {
        String value = file.metadata().get(key);
        if (value == null) throw new Failure.Unreadable(golden + ": expected metadata \"" + key + "\" of a sampler's trajectory, found " + file.metadata().keySet());
        return value;
    }

    private static long number(Path golden, Safetensors file, String key) throws Failure {
        String value = metadata(golden, file, key);
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new Failure.Unreadable(golden + ": metadata \"" + key + "\": expected a whole number, found " + value, e);
        }
    }
}
