package atomstudio.app.verify;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.sample.PredictionType;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingPlan;
import atomstudio.diffusion.sample.SamplingRun;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import atomstudio.diffusion.sample.SchedulerConfig;
import atomstudio.diffusion.sample.StepListener;
import atomstudio.diffusion.sample.TorchRandom;
import atomstudio.diffusion.tensor.Deviation;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Golden trajectory of a reference sampler over a formula in place of the network, compared step by step. Metadata:
/// the diffusers class (`scheduler`), its unmodified `config`, `steps`, `seed` and `eta`; or this program's `sampler`
/// and `schedule` if diffusers has no such class. Entries are numbered by network calls.
final class SamplerGolden {
    private static final double TOLERANCE = 1e-4;

    private SamplerGolden() {}

    static boolean recognizes(SafetensorsFile file) {
        return file.tensors().keySet().containsAll(List.of("initial", "timesteps"));
    }

    /// @throws Failure.Unsupported for a sampler, or a setting of one, that is not supported
    static List<Deviation> verify(Path golden) throws Failure {
        try (SafetensorsFile file = SafetensorsFile.open(golden)) {
            SchedulerConfig config = SchedulerConfig.parse(golden.toString(), metadata(golden, file, "config"));
            if (!file.metadata().containsKey("sampler")) config = config.forClass(metadata(golden, file, "scheduler"));
            return compare(file, sampling(golden, file, config).planUnmodified(config), number(golden, file, "seed"));
        }
    }

    /// The settings in the metadata: by this program's names if it has `sampler` and `schedule`, else by diffusers'
    /// class and config.
    private static SamplingSettings sampling(Path golden, SafetensorsFile file, SchedulerConfig config) throws Failure {
        SamplerName sampler = file.metadata().containsKey("sampler")
                ? named(golden, "sampler", SamplerName.ofOption(metadata(golden, file, "sampler")))
                : SamplerName.of(config);
        ScheduleName schedule = file.metadata().containsKey("schedule")
                ? named(golden, "schedule", ScheduleName.ofOption(metadata(golden, file, "schedule")))
                : ScheduleName.AUTOMATIC;
        SamplingSettings sampling = SamplingSettings.of(sampler, schedule,
                Math.toIntExact(number(golden, file, "steps")));
        String eta = file.metadata().getOrDefault("eta", "");
        try {
            return eta.isEmpty() ? sampling : sampling.withEta(Double.parseDouble(eta));
        } catch (NumberFormatException e) {
            throw new Failure.Unreadable(golden + ": metadata \"eta\": expected a number, found " + eta, e);
        }
    }

    private static <N> N named(Path golden, String key, Optional<N> name) throws Failure {
        return name.orElseThrow(() -> new Failure.Unreadable(
                golden + ": metadata \"" + key + "\": expected a name from the samplers command"));
    }

    private static List<Deviation> compare(SafetensorsFile file, SamplingPlan plan, long seed) throws Failure {
        Comparison comparison = new Comparison(file, new ArrayList<>());
        if (file.has("sigmas"))
            comparison.add("sigmas",
                    expectedSigmas(plan.steps(), Math.toIntExact(file.info("sigmas").shape().size(0))));
        TorchRandom generator = new TorchRandom(seed);
        Tensor noise = generator.randn(file.info("initial").shape());
        comparison.add("initial", plan.initialLatents(noise));
        List<Double> calledTimesteps = new ArrayList<>();
        SamplingRun.Denoiser formula = formula(plan.predictionType());
        plan.run(SamplingRun.of((latents, timestep) -> {
            calledTimesteps.add(timestep);
            return formula.predict(latents, timestep);
        }, plan.initialLatents(noise), shape -> {
            Tensor drawn = generator.randn(shape);
            comparison.add(entry("noise", calledTimesteps.size() - 1), drawn);
            return drawn;
        }).withListener(progress -> {
            comparison.add(entry("step", calledTimesteps.size() - 1), progress.latents());
            return StepListener.Next.CONTINUE;
        }));
        comparison.add("timesteps", vector(calledTimesteps.stream().mapToDouble(Double::doubleValue).toArray()));
        return comparison.deviations(calledTimesteps.size());
    }

    /// With two network calls a step, every level except the first is listed twice.
    private static Tensor expectedSigmas(List<SamplingPlan.Step> steps, int length) {
        double[] sigmas = new double[length];
        int entriesPerStep = length > steps.size() + 1 ? 2 : 1;
        for (int i = 0; i < length; i++) {
            int step = Math.min((i + entriesPerStep - 1) / entriesPerStep, steps.size());
            sigmas[i] = step < steps.size() ? steps.get(step).from().sigma() : steps.getLast().to().sigma();
        }
        return vector(sigmas);
    }

    /// The computed tensors by their names in the file; names on one side only are infinite deviations.
    private record Comparison(SafetensorsFile file, List<Map.Entry<String, Tensor>> found) {
        void add(String name, Tensor tensor) {
            found.add(Map.entry(name, tensor));
        }

        /// Intermediate results inside a step exist in the golden only and are skipped.
        List<Deviation> deviations(int calls) throws Failure {
            List<Deviation> deviations = new ArrayList<>();
            List<String> unmatched = new ArrayList<>(file.tensors().keySet());
            for (Map.Entry<String, Tensor> entry : found) {
                Tensor expected = unmatched.remove(entry.getKey()) ? file.read(entry.getKey()) : vector();
                deviations.add(Deviation.relative(entry.getKey(), expected, entry.getValue(), TOLERANCE));
            }
            for (int call = 0; call < calls; call++) unmatched.remove(entry("step", call));
            for (String name : unmatched)
                deviations.add(Deviation.relative(name, file.read(name), vector(), TOLERANCE));
            return deviations;
        }
    }

    private static String entry(String kind, int call) {
        return "%s.%03d".formatted(kind, call);
    }

    private static Tensor vector(double... values) {
        return Tensor.generate(Shape.of(values.length), i -> values[i]);
    }

    /// The formulas of the golden: smooth, and close to a denoiser for data of unit variance.
    private static SamplingRun.Denoiser formula(PredictionType prediction) {
        return (latents, timestep) -> {
            double t = timestep;
            return latents.map(x -> switch (prediction) {
                case EPSILON -> Math.tanh(t / 300) * x + 0.1 * Math.sin(3 * x);
                case V -> 0.1 * Math.sin(3 * x) + 0.05 * Math.cos(t / 200);
                case SAMPLE -> (1 - Math.tanh(t / 300)) * x + 0.1 * Math.sin(3 * x);
            });
        };
    }

    private static String metadata(Path golden, SafetensorsFile file, String key) throws Failure {
        String value = file.metadata().get(key);
        if (value == null)
            throw new Failure.Unreadable(golden + ": expected metadata \"" + key
                    + "\" of a sampler golden, found " + file.metadata().keySet());
        return value;
    }

    private static long number(Path golden, SafetensorsFile file, String key) throws Failure {
        String value = metadata(golden, file, key);
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw new Failure.Unreadable(golden + ": metadata \"" + key + "\": expected a whole number, found " + value,
                    e);
        }
    }
}
