package atomstudio.tuning.data;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.run.RunInfo;
import atomstudio.tuning.torch.TrainingBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/// Encoded photos with their captions, and the noisy batches that are sampled from them. Everything random is a
/// function of seed and step, so that a resumed run continues exactly.
/// @param rngStream prefix of the random streams, different for each dataset of a run
public record Dataset(String rngStream, List<TrainingExample> examples, TextConditioning textConditioning,
        BatchSampling sampling) {
    public Dataset {
        examples = List.copyOf(examples);
    }

    /// A photo.
    /// @param latents        scaled latents (1, C, h, w)
    /// @param flippedLatents those of the mirrored photo, if it is flipped at random
    /// @param lossWeights    of the latent pixels (1, 1, h, w)
    /// @param repeats        how often it is sampled per epoch, relative to the others
    public record TrainingExample(Tensor latents, Optional<Tensor> flippedLatents, Optional<Tensor> lossWeights,
            List<String> captions, int repeats) {
        public TrainingExample(Tensor latents, Optional<Tensor> flippedLatents, Optional<Tensor> lossWeights,
                List<String> captions) {
            this(latents, flippedLatents, lossWeights, captions, 1);
        }
    }

    /// How batches are sampled.
    /// @param batchSize photos per batch
    /// @param cropSide  side in latent pixels of the square that is cropped at random; empty: no crop
    public record BatchSampling(DiffusionObjective objective, TrainingConfig config, int batchSize,
            Optional<Integer> cropSide) {
        public static BatchSampling of(TrainingConfig config, RunInfo.ResolvedConfig resolved, DiffusionModel model)
                throws Failure {
            DiffusionObjective objective = new DiffusionObjective(NoiseSchedule.of(model.scheduler()),
                    model.scheduler().predictionType());
            boolean cropsRandomly = config.data().crop() == TrainingConfig.CropMode.RANDOM;
            return new BatchSampling(objective, config, resolved.batchSize(),
                    cropsRandomly ? Optional.of(resolved.resolution() / model.vae().downsamplingFactor())
                            : Optional.empty());
        }

        /// Steps after which the cached batches repeat; empty without a cache.
        public OptionalInt cachedSteps() {
            int entries = config.data().cachedNoiseSamples();
            return entries == 0 ? OptionalInt.empty()
                    : OptionalInt.of(Math.max(1, entries / (batchSize * config.optimizer().accumulationSteps())));
        }
    }

    /// One photo with its noise.
    private record NoisySample(Tensor latents, Tensor noise, Optional<Tensor> lossWeights, String caption,
            float timestep) {}

    /// The batch of an accumulation pass of a step (both from 0). Timesteps are stratified over all passes of the
    /// step. With cached noise samples the steps repeat.
    public TrainingBatch batch(long seed, int globalStep, int pass) {
        int size = sampling.batchSize;
        int step = sampling.cachedSteps().isEmpty() ? globalStep : globalStep % sampling.cachedSteps().getAsInt();
        int passes = sampling.config.optimizer().accumulationSteps();
        List<Integer> indices = sampler(seed).batch((long) step * passes + pass);
        List<NoisySample> samples = new ArrayList<>();
        for (int i = 0; i < size; i++)
            samples.add(
                    sample(new SampleIndex(seed, step, pass * size + i, passes * size), examples.get(indices.get(i))));
        float[] timesteps = new float[size];
        for (int i = 0; i < size; i++) timesteps[i] = samples.get(i).timestep;
        return batch(samples, timesteps);
    }

    private EpochSampler sampler(long seed) {
        List<String> shapes = examples.stream()
                .map(example -> sampling.cropSide.isPresent() ? "" : example.latents.shape().toString())
                .toList();
        return new EpochSampler(new CounterRng(seed, rngStream), sampling.batchSize, shapes,
                examples.stream().map(TrainingExample::repeats).toList());
    }

    /// The first photo with its first caption at `count` of `total` evenly spaced timesteps, from the `first` on,
    /// always with the same noise.
    public TrainingBatch fixedBatch(int first, int count, int total) {
        List<NoisySample> samples = new ArrayList<>();
        float[] timesteps = new float[count];
        for (int i = 0; i < count; i++) {
            timesteps[i] = (int) ((first + i + 0.5) / total * sampling.objective.schedule().size());
            TrainingExample example = examples.getFirst();
            Tensor latents = centerCrop(example.latents);
            Tensor noise = noise(new SampleIndex(0, 0, first + i, total), latents.shape());
            samples.add(new NoisySample(latents, noise, example.lossWeights.map(this::centerCrop),
                    example.captions.getFirst(), timesteps[i]));
        }
        return batch(samples, timesteps);
    }

    private Tensor centerCrop(Tensor latents) {
        return sampling.cropSide.map(side -> crop(latents, (int) (latents.shape().size(2) - side) / 2,
                (int) (latents.shape().size(3) - side) / 2, side)).orElse(latents);
    }

    private TrainingBatch batch(List<NoisySample> samples, float[] timesteps) {
        Tensor x0 = stack(samples, NoisySample::latents);
        Tensor noise = stack(samples, NoisySample::noise);
        DiffusionObjective objective = sampling.objective;
        return new TrainingBatch(objective.addNoise(x0, noise, timesteps), timesteps,
                textConditioning.of(samples.stream().map(NoisySample::caption).toList()),
                objective.target(x0, noise, timesteps), weights(samples, timesteps));
    }

    /// The `index`-th of a step's `count` samples.
    private record SampleIndex(long seed, int step, int index, int count) {}

    private NoisySample sample(SampleIndex index, TrainingExample example) {
        CounterRng rng = new CounterRng(index.seed, rngStream + "step " + index.step);
        int position = index.index;
        String caption = example.captions.get(rng.randint(example.captions.size(), 2L * position));
        float timestep = (int) ((position + timestepFraction(index, rng.uniform(2L * position + 1))) / index.count
                * sampling.objective.schedule().size());
        boolean flip = example.flippedLatents.isPresent()
                && new CounterRng(index.seed, rngStream + "flip " + index.step).uniform(position) < 0.5;
        Tensor latents = flip ? example.flippedLatents.get() : example.latents;
        Optional<Tensor> weights = flip ? example.lossWeights.map(Dataset::flipHorizontally) : example.lossWeights;
        if (sampling.cropSide.isPresent()) {
            CounterRng cropRng = new CounterRng(index.seed, rngStream + "crop " + index.step);
            int side = sampling.cropSide.get();
            int top = cropRng.randint((int) latents.shape().size(2) - side + 1, 2L * position);
            int left = cropRng.randint((int) latents.shape().size(3) - side + 1, 2L * position + 1);
            latents = crop(latents, top, left, side);
            weights = weights.map(each -> crop(each, top, left, side));
        }
        return new NoisySample(latents, noise(index, latents.shape()), weights, caption, timestep);
    }

    /// The position of a sample within its stratum of the timesteps: random, or, with few cached steps, in a different
    /// part of the stratum at each.
    private double timestepFraction(SampleIndex index, double random) {
        if (sampling.cachedSteps().isEmpty()) return random;
        int steps = sampling.cachedSteps().getAsInt();
        return (EpochSampler.permutation(new CounterRng(index.seed, rngStream + "bank " + index.index),
                steps)[index.step] + random)
                / steps;
    }

    /// Gaussian noise, plus a random offset per channel (noise offset).
    private Tensor noise(SampleIndex index, Shape shape) {
        Tensor noise = new Tensor(shape,
                new CounterRng(index.seed, rngStream + "noise " + index.step + " " + index.index)
                        .normals(Math.toIntExact(shape.elements())));
        double offset = sampling.config.loss().noiseOffset();
        if (offset == 0) return noise;
        float[] shifts = new CounterRng(index.seed, rngStream + "offset " + index.step + " " + index.index)
                .normals((int) shape.size(1));
        int channelSize = noise.data().length / shifts.length;
        return Tensor.generate(shape, i -> noise.data()[i] + (float) offset * shifts[i / channelSize]);
    }

    private Tensor weights(List<NoisySample> samples, float[] timesteps) {
        boolean masked = samples.stream().anyMatch(each -> each.lossWeights.isPresent());
        Shape shape = masked ? samples.getFirst().latents.shape().with(1, 1) : Shape.of(1, 1, 1, 1);
        Tensor weights = Tensor.concatenate(samples.stream()
                .map(each -> each.lossWeights.map(Dataset::copy).orElse(Tensor.filled(shape, 1)))
                .toArray(Tensor[]::new));
        double gamma = sampling.config.loss().minSnrGamma();
        if (gamma == 0) return weights;
        float[] snr = sampling.objective.minSnrWeights(timesteps, gamma).data();
        int each = weights.data().length / snr.length;
        return Tensor.generate(weights.shape(), i -> weights.data()[i] * snr[i / each]);
    }

    private static Tensor stack(List<NoisySample> samples, Function<NoisySample, Tensor> part) {
        return Tensor.concatenate(samples.stream().map(part).toArray(Tensor[]::new));
    }

    private static Tensor copy(Tensor tensor) {
        return new Tensor(tensor.shape(), tensor.data().clone());
    }

    private static Tensor flipHorizontally(Tensor tensor) {
        int width = (int) tensor.shape().size(3);
        return Tensor.generate(tensor.shape(), i -> tensor.data()[i - i % width + width - 1 - i % width]);
    }

    private static Tensor crop(Tensor source, int top, int left, int side) {
        int channels = (int) source.shape().size(1);
        int height = (int) source.shape().size(2);
        int width = (int) source.shape().size(3);
        Tensor cropped = Tensor.zeros(Shape.of(1, channels, side, side));
        for (int row = 0; row < channels * side; row++) {
            System.arraycopy(source.data(), (row / side * height + top + row % side) * width + left, cropped.data(),
                    row * side, side);
        }
        return cropped;
    }
}
