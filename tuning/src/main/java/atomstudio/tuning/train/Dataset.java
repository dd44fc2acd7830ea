package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.method.CounterRng;
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
/// @param stream sets the random numbers of one dataset apart from another's
record Dataset(String stream, List<Example> examples, Wording wording, Drawing drawing) {
    Dataset {
        examples = List.copyOf(examples);
    }

    /// A picture's latents times the scaling factor (1,C,h,w), those of its mirror image where it is to be flipped too, the weights of
    /// its latent pixels (1,1,h,w), the captions that say what it shows, and how often it is drawn beside the others.
    record Example(Tensor latents, Optional<Tensor> mirrored, Optional<Tensor> weights, List<String> captions, int repeats) {
        Example(Tensor latents, Optional<Tensor> mirrored, Optional<Tensor> weights, List<String> captions) {
            this(latents, mirrored, weights, captions, 1);
        }
    }

    /// How a batch is drawn.
    /// @param batch  pictures a batch
    /// @param window side of the square of latent pixels that is cut out at random; empty: latents are taken whole
    record Drawing(Noising noising, Recipe recipe, int batch, Optional<Integer> window) {
        static Drawing of(Recipe recipe, RunInfo.Training training, DiffusionModel model) throws Failure {
            Noising noising = new Noising(NoiseSchedule.of(model.scheduler()), model.scheduler().predictionType());
            boolean window = recipe.material().crop() == Recipe.Crop.RANDOM;
            return new Drawing(noising, recipe, training.batch(), window ? Optional.of(training.size() / model.vae().downsamplingFactor()) : Optional.empty());
        }

        /// Steps whose batches make up the bank.
        OptionalInt bank() {
            int entries = recipe.material().bank();
            return entries == 0 ? OptionalInt.empty() : OptionalInt.of(Math.max(1, entries / (batch * recipe.update().accumulate())));
        }
    }

    /// One drawn picture.
    private record Drawn(Tensor clean, Tensor noise, Optional<Tensor> weights, String caption, float timestep) {}

    /// The `pass`-th batch of a step (both from 0). Pictures come in shuffled rounds, each as often as it is repeated before the next round; timesteps
    /// are spread evenly over all of a step. A batch holds pictures of one shape, shapes as often as their pictures. With a bank the same steps
    /// come again.
    TrainingBatch batch(long seed, int number, int pass) {
        int size = drawing.batch;
        int step = drawing.bank().isEmpty() ? number : number % drawing.bank().getAsInt();
        int passes = drawing.recipe.update().accumulate();
        List<Integer> pictures = pictures(seed, (long) step * passes + pass);
        List<Drawn> drawn = new ArrayList<>();
        for (int i = 0; i < size; i++) drawn.add(draw(new Place(seed, step, pass * size + i, passes * size), examples.get(pictures.get(i))));
        float[] timesteps = new float[size];
        for (int i = 0; i < size; i++) timesteps[i] = drawn.get(i).timestep;
        return batch(drawn, timesteps);
    }

    /// The first picture with its first caption, at the timesteps `from` and on of `of` that are spread evenly, always with the same noise.
    TrainingBatch fixed(int from, int count, int of) {
        List<Drawn> drawn = new ArrayList<>();
        float[] timesteps = new float[count];
        for (int i = 0; i < count; i++) {
            timesteps[i] = (int) ((from + i + 0.5) / of * drawing.noising.schedule().size());
            Example example = examples.getFirst();
            Tensor latents = centre(example.latents);
            Tensor noise = noise(new Place(0, 0, from + i, of), latents.shape());
            drawn.add(new Drawn(latents, noise, example.weights.map(this::centre), example.captions.getFirst(), timesteps[i]));
        }
        return batch(drawn, timesteps);
    }

    private Tensor centre(Tensor whole) {
        return drawing.window.map(side -> cut(whole, (int) (whole.shape().size(2) - side) / 2, (int) (whole.shape().size(3) - side) / 2, side)).orElse(whole);
    }

    private TrainingBatch batch(List<Drawn> drawn, float[] timesteps) {
        Tensor x0 = stack(drawn, Drawn::clean);
        Tensor noise = stack(drawn, Drawn::noise);
        Noising noising = drawing.noising;
        return new TrainingBatch(noising.noisy(x0, noise, timesteps), timesteps, wording.of(drawn.stream().map(Drawn::caption).toList()), noising.target(x0, noise, timesteps), weights(drawn, timesteps));
    }

    /// The `index`-th of a step's `count` pictures.
    private record Place(long seed, int step, int index, int count) {}

    private Drawn draw(Place place, Example example) {
        CounterRng choice = new CounterRng(place.seed, stream + "step " + place.step);
        int i = place.index;
        String caption = example.captions.get(choice.randint(example.captions.size(), 2L * i));
        float timestep = (int) ((i + within(place, choice.uniform(2L * i + 1))) / place.count * drawing.noising.schedule().size());
        boolean flip = example.mirrored.isPresent() && new CounterRng(place.seed, stream + "flip " + place.step).uniform(i) < 0.5;
        Tensor latents = flip ? example.mirrored.get() : example.latents;
        Optional<Tensor> weights = flip ? example.weights.map(Dataset::mirror) : example.weights;
        if (drawing.window.isPresent()) {
            CounterRng where = new CounterRng(place.seed, stream + "crop " + place.step);
            int side = drawing.window.get();
            int top = where.randint((int) latents.shape().size(2) - side + 1, 2L * i);
            int left = where.randint((int) latents.shape().size(3) - side + 1, 2L * i + 1);
            latents = cut(latents, top, left, side);
            weights = weights.map(each -> cut(each, top, left, side));
        }
        return new Drawn(latents, noise(place, latents.shape()), weights, caption, timestep);
    }

    /// Where in its share of the timesteps a picture falls: at random, or, the steps of a bank being few, in another part of it at each.
    private double within(Place place, double random) {
        if (drawing.bank().isEmpty()) return random;
        int steps = drawing.bank().getAsInt();
        return (shuffled(new CounterRng(place.seed, stream + "bank " + place.index), steps)[place.step] + random) / steps;
    }

    /// Normal, and with an offset the same for all of a channel in part.
    private Tensor noise(Place place, Shape shape) {
        Tensor noise = new Tensor(shape, new CounterRng(place.seed, stream + "noise " + place.step + " " + place.index).normals(Math.toIntExact(shape.elements())));
        double offset = drawing.recipe.weighing().noiseOffset();
        if (offset == 0) return noise;
        float[] shifts = new CounterRng(place.seed, stream + "offset " + place.step + " " + place.index).normals((int) shape.size(1));
        int plane = noise.data().length / shifts.length;
        for (int j = 0; j < noise.data().length; j++) noise.data()[j] += (float) offset * shifts[j / plane];
        return noise;
    }

    private Tensor weights(List<Drawn> drawn, float[] timesteps) {
        boolean masked = drawn.stream().anyMatch(each -> each.weights.isPresent());
        Shape shape = masked ? drawn.getFirst().clean.shape().with(1, 1) : Shape.of(1, 1, 1, 1);
        Tensor weights = Tensor.concatenate(drawn.stream().map(each -> each.weights.map(Dataset::copy).orElse(Tensor.filled(shape, 1))).toArray(Tensor[]::new));
        double gamma = drawing.recipe.weighing().minSnr();
        if (gamma == 0) return weights;
        float[] snr = drawing.noising.minSnrWeights(timesteps, gamma).data();
        int each = weights.data().length / snr.length;
        for (int i = 0; i < weights.data().length; i++) weights.data()[i] *= snr[i / each];
        return weights;
    }

    /// The pictures of the n-th batch of all.
    private List<Integer> pictures(long seed, long n) {
        List<Integer> round = round();
        List<List<Integer>> buckets = buckets(round);
        int chosen = 0;
        long earlier = n;
        if (buckets.size() > 1) {
            int[] order = shuffled(new CounterRng(seed, stream + "bucket " + n / round.size()), round.size());
            int at = (int) (n % round.size());
            while (!buckets.get(chosen).contains(round.get(order[at]))) chosen++;
            List<Integer> bucket = buckets.get(chosen);
            earlier = n / round.size() * bucket.size();
            for (int j = 0; j < at; j++) if (bucket.contains(round.get(order[j]))) earlier++;
        }
        List<Integer> bucket = buckets.get(chosen);
        String rounds = stream + (chosen == 0 ? "" : "bucket " + chosen + " ") + "round ";
        List<Integer> pictures = new ArrayList<>();
        for (long k = earlier * drawing.batch; k < (earlier + 1) * drawing.batch; k++) {
            pictures.add(bucket.get(shuffled(new CounterRng(seed, rounds + k / bucket.size()), bucket.size())[(int) (k % bucket.size())]));
        }
        return pictures;
    }

    /// The examples of one round, each as often as it is repeated: no oftener than their ratios need, so that equal repeats are as none.
    private List<Integer> round() {
        int common = 0;
        for (Example example : examples) common = BigInteger.valueOf(common).gcd(BigInteger.valueOf(example.repeats)).intValueExact();
        List<Integer> round = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) round.addAll(Collections.nCopies(examples.get(i).repeats / common, i));
        return round;
    }

    /// The examples of a round by their shapes; all of them in one where squares are cut out.
    private List<List<Integer>> buckets(List<Integer> round) {
        Map<String, List<Integer>> buckets = new LinkedHashMap<>();
        for (int i : round) {
            String shape = drawing.window.isPresent() ? "" : examples.get(i).latents.shape().toString();
            buckets.computeIfAbsent(shape, none -> new ArrayList<>()).add(i);
        }
        return List.copyOf(buckets.values());
    }

    private static int[] shuffled(CounterRng shuffle, int count) {
        int[] order = new int[count];
        for (int i = 0; i < count; i++) {
            int j = shuffle.randint(i + 1, i);
            order[i] = order[j];
            order[j] = i;
        }
        return order;
    }

    private static Tensor stack(List<Drawn> drawn, java.util.function.Function<Drawn, Tensor> part) {
        return Tensor.concatenate(drawn.stream().map(part).toArray(Tensor[]::new));
    }

    private static Tensor copy(Tensor tensor) {
        return new Tensor(tensor.shape(), tensor.data().clone());
    }

    /// Left to right.
    private static Tensor mirror(Tensor tensor) {
        int width = (int) tensor.shape().size(3);
        Tensor mirrored = Tensor.zeros(tensor.shape());
        for (int i = 0; i < mirrored.data().length; i++) mirrored.data()[i] = tensor.data()[i - i % width + width - 1 - i % width];
        return mirrored;
    }

    private static Tensor cut(Tensor from, int top, int left, int side) {
        int channels = (int) from.shape().size(1);
        int height = (int) from.shape().size(2);
        int width = (int) from.shape().size(3);
        Tensor part = Tensor.zeros(Shape.of(1, channels, side, side));
        for (int row = 0; row < channels * side; row++) {
            System.arraycopy(from.data(), (row / side * height + top + row % side) * width + left, part.data(), row * side, side);
        }
        return part;
    }
}
