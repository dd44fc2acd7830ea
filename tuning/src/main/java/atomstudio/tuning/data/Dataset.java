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
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/// Latents of pictures, computed once, and their captions; and which of them, how noisy, a step is trained on.
/// Everything random is a function of seed and step, so that a resumed run goes on as if it had never stopped.
/// @param rngStream sets the random numbers of one dataset apart from another's
public record Dataset(String rngStream, List<TrainingExample> examples, TextConditioning textConditioning,
        BatchSampling sampling) {
    public Dataset {
        examples = List.copyOf(examples);
    }

    /// A picture's latents times the scaling factor (1,C,h,w), those of its mirror image where it is to be flipped
    /// too, the weights of its latent pixels (1,1,h,w), the captions that say what it shows, and how often it is
    /// drawn beside the others.
    public record TrainingExample(Tensor latents, Optional<Tensor> flippedLatents, Optional<Tensor> lossWeights,
            List<String> captions, int repeats) {
        public TrainingExample(Tensor latents, Optional<Tensor> flippedLatents, Optional<Tensor> lossWeights,
                List<String> captions) {
            this(latents, flippedLatents, lossWeights, captions, 1);
        }
    }

    /// How a batch is drawn.
    /// @param batchSize  pictures a batch
    /// @param cropSide side of the square of latent pixels that is cut out at random; empty: latents are taken whole
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

        /// Steps whose batches make up the bank.
        public OptionalInt cachedSteps() {
            int entries = config.data().cachedNoiseSamples();
            return entries == 0 ? OptionalInt.empty()
                    : OptionalInt.of(Math.max(1, entries / (batchSize * config.optimizer().accumulationSteps())));
        }
    }

    /// One drawn picture.
    private record NoisySample(Tensor latents, Tensor noise, Optional<Tensor> lossWeights, String caption,
            float timestep) {}

    /// The `pass`-th batch of a step (both from 0). Pictures come in shuffled rounds, each as often as it is repeated
    /// before the next round; timesteps are spread evenly over all of a step. A batch holds pictures of one shape,
    /// shapes as often as their pictures. With a bank the same steps come again.
    public TrainingBatch batch(long seed, int globalStep, int pass) {
        int size = sampling.batchSize;
        int step = sampling.cachedSteps().isEmpty() ? globalStep : globalStep % sampling.cachedSteps().getAsInt();
        int passes = sampling.config.optimizer().accumulationSteps();
        List<Integer> indices = exampleIndices(seed, (long) step * passes + pass);
        List<NoisySample> samples = new ArrayList<>();
        for (int i = 0; i < size; i++)
            samples.add(
                    sample(new SampleIndex(seed, step, pass * size + i, passes * size), examples.get(indices.get(i))));
        float[] timesteps = new float[size];
        for (int i = 0; i < size; i++) timesteps[i] = samples.get(i).timestep;
        return batch(samples, timesteps);
    }

    /// The first picture with its first caption, at the timesteps `from` and on of `of` that are spread evenly,
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

    /// The `index`-th of a step's `count` pictures.
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

    /// Where in its share of the timesteps a picture falls: at random, or, the steps of a bank being few, in another
    /// part of it at each.
    private double timestepFraction(SampleIndex index, double random) {
        if (sampling.cachedSteps().isEmpty()) return random;
        int steps = sampling.cachedSteps().getAsInt();
        return (permutation(new CounterRng(index.seed, rngStream + "bank " + index.index), steps)[index.step] + random)
                / steps;
    }

    /// Normal, and with an offset the same for all of a channel in part.
    private Tensor noise(SampleIndex index, Shape shape) {
        Tensor noise = new Tensor(shape,
                new CounterRng(index.seed, rngStream + "noise " + index.step + " " + index.index)
                        .normals(Math.toIntExact(shape.elements())));
        double offset = sampling.config.loss().noiseOffset();
        if (offset == 0) return noise;
        float[] shifts = new CounterRng(index.seed, rngStream + "offset " + index.step + " " + index.index)
                .normals((int) shape.size(1));
        int channelSize = noise.data().length / shifts.length;
        for (int j = 0; j < noise.data().length; j++) noise.data()[j] += (float) offset * shifts[j / channelSize];
        return noise;
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
        for (int i = 0; i < weights.data().length; i++) weights.data()[i] *= snr[i / each];
        return weights;
    }

    /// The pictures of the n-th batch of all.
    private List<Integer> exampleIndices(long seed, long batchIndex) {
        List<Integer> epoch = epochOrder();
        List<List<Integer>> buckets = buckets(epoch);
        int bucketIndex = 0;
        long earlierBatches = batchIndex;
        if (buckets.size() > 1) {
            int[] order = permutation(new CounterRng(seed, rngStream + "bucket " + batchIndex / epoch.size()),
                    epoch.size());
            int position = (int) (batchIndex % epoch.size());
            while (!buckets.get(bucketIndex).contains(epoch.get(order[position]))) bucketIndex++;
            List<Integer> bucket = buckets.get(bucketIndex);
            earlierBatches = batchIndex / epoch.size() * bucket.size();
            for (int j = 0; j < position; j++) if (bucket.contains(epoch.get(order[j]))) earlierBatches++;
        }
        List<Integer> bucket = buckets.get(bucketIndex);
        String shuffleStream = rngStream + (bucketIndex == 0 ? "" : "bucket " + bucketIndex + " ") + "round ";
        List<Integer> indices = new ArrayList<>();
        for (long k = earlierBatches * sampling.batchSize; k < (earlierBatches + 1) * sampling.batchSize; k++) {
            indices.add(bucket.get(permutation(new CounterRng(seed, shuffleStream + k / bucket.size()),
                    bucket.size())[(int) (k % bucket.size())]));
        }
        return indices;
    }

    /// The examples of one round, each as often as it is repeated: no oftener than their ratios need, so that equal
    /// repeats are as none.
    private List<Integer> epochOrder() {
        int divisor = 0;
        for (TrainingExample example : examples)
            divisor = BigInteger.valueOf(divisor).gcd(BigInteger.valueOf(example.repeats)).intValueExact();
        List<Integer> epoch = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++)
            epoch.addAll(Collections.nCopies(examples.get(i).repeats / divisor, i));
        return epoch;
    }

    /// The examples of a round by their shapes; all of them in one where squares are cut out.
    private List<List<Integer>> buckets(List<Integer> epoch) {
        Map<String, List<Integer>> buckets = new LinkedHashMap<>();
        for (int i : epoch) {
            String shape = sampling.cropSide.isPresent() ? "" : examples.get(i).latents.shape().toString();
            buckets.computeIfAbsent(shape, none -> new ArrayList<>()).add(i);
        }
        return List.copyOf(buckets.values());
    }

    private static int[] permutation(CounterRng rng, int count) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = rng.randint(i + 1, i);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    private static Tensor stack(List<NoisySample> samples, java.util.function.Function<NoisySample, Tensor> part) {
        return Tensor.concatenate(samples.stream().map(part).toArray(Tensor[]::new));
    }

    private static Tensor copy(Tensor tensor) {
        return new Tensor(tensor.shape(), tensor.data().clone());
    }

    /// Left to right.
    private static Tensor flipHorizontally(Tensor tensor) {
        int width = (int) tensor.shape().size(3);
        Tensor flipped = Tensor.zeros(tensor.shape());
        for (int i = 0; i < flipped.data().length; i++)
            flipped.data()[i] = tensor.data()[i - i % width + width - 1 - i % width];
        return flipped;
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
