package atomstudio.tuning.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.model.TinyModel;
import atomstudio.diffusion.sample.NoiseSchedule;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.config.TrainingConfig;
import atomstudio.tuning.config.TrainingSetting;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSettings;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;
import atomstudio.tuning.train.GradientAccumulation;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sampled batches, without a network.
class DatasetTest {
    private static final TrainingConfig USUAL = TrainingConfig.of(MethodSettings.of(MethodName.ATOMS));
    private static final TextConditioning CONDITIONING = new TextConditioning.PrecomputedStates(
            Map.of("a", Tensor.zeros(Shape.of(1, 1, 1))));
    @TempDir
    static Path shared;
    private static DiffusionObjective objective;

    @BeforeAll
    static void prepare() throws Exception {
        DiffusionModel model = TinyModel.make(shared.resolve("model"), "sd1");
        objective = new DiffusionObjective(NoiseSchedule.of(model.scheduler()), model.scheduler().predictionType());
    }

    private static Dataset.TrainingExample example(Tensor latents) {
        return new Dataset.TrainingExample(latents, Optional.empty(), Optional.empty(), List.of("a"));
    }

    private static Dataset dataset(TrainingConfig config, int batch, Optional<Integer> window,
            Dataset.TrainingExample... examples) {
        return new Dataset("", List.of(examples), CONDITIONING,
                new Dataset.BatchSampling(objective, config, batch, window));
    }

    private static Tensor filled(float value, int height, int width) {
        return Tensor.filled(Shape.of(1, 4, height, width), value);
    }

    @Test
    void cachedStepsRepeatAndCoverTheTimestepsEvenly() {
        Dataset dataset = dataset(USUAL.with(TrainingSetting.CACHED_NOISE_SAMPLES, 16),
                2, Optional.empty(), example(filled(1, 2, 2)), example(filled(2, 2, 2)), example(filled(3, 2, 2)));
        List<Float> timesteps = new ArrayList<>();
        for (int step = 0; step < 8; step++) {
            TrainingBatch batch = dataset.batch(5, step, 0);
            TrainingBatch again = dataset.batch(5, step + 8, 0);
            assertEquals(batch.noisyLatents(), again.noisyLatents());
            assertArrayEquals(batch.timesteps(), again.timesteps());
            for (float timestep : batch.timesteps()) timesteps.add(timestep);
        }
        List<Integer> shares = timesteps.stream()
                .sorted()
                .map(timestep -> (int) (timestep * 16 / objective.schedule().size()))
                .toList();
        assertEquals(java.util.stream.IntStream.range(0, 16).boxed().toList(), shares, "one in each sixteenth");
    }

    @Test
    void samplesPhotosByTheirRepeats() {
        Dataset dataset = dataset(USUAL, 2, Optional.empty(), repeated(1, 2), repeated(2, 6), repeated(3, 4));
        int[] drawn = new int[4];
        for (int step = 0; step < 6; step++) {
            float[] clean = clean(dataset.batch(5, step, 0));
            drawn[Math.round(clean[0])]++;
            drawn[Math.round(clean[clean.length / 2])]++;
        }
        assertArrayEquals(new int[] {0, 2, 6, 4}, drawn, "in two rounds of 1 + 3 + 2");
    }

    @Test
    void samplesBucketsByTheRepeatsOfTheirPhotos() {
        Dataset.TrainingExample wide = new Dataset.TrainingExample(filled(2, 2, 4), Optional.empty(), Optional.empty(),
                List.of("a"), 3);
        Dataset dataset = dataset(USUAL, 1, Optional.empty(), repeated(1, 1), wide);
        int many = 0;
        for (int step = 0; step < 40; step++) if (dataset.batch(5, step, 0).noisyLatents().shape().size(3) == 4) many++;
        assertEquals(30, many);
    }

    @Test
    void equalRepeatsChangeNothing() {
        Dataset once = dataset(USUAL, 2, Optional.empty(), repeated(1, 1), repeated(2, 1), repeated(3, 1));
        Dataset often = dataset(USUAL, 2, Optional.empty(), repeated(1, 10), repeated(2, 10), repeated(3, 10));
        for (int step = 0; step < 9; step++)
            assertEquals(once.batch(5, step, 0).noisyLatents(), often.batch(5, step, 0).noisyLatents());
    }

    private static Dataset.TrainingExample repeated(float value, int repeats) {
        return new Dataset.TrainingExample(filled(value, 2, 2), Optional.empty(), Optional.empty(), List.of("a"),
                repeats);
    }

    private static TrainingConfig accumulating(int passes) {
        return USUAL.with(TrainingSetting.GRADIENT_ACCUMULATION, passes);
    }

    /// x0 from noisy latents and their noise.
    private static float[] clean(TrainingBatch batch) {
        float[] clean = new float[batch.noisyLatents().data().length];
        int each = clean.length / batch.timesteps().length;
        for (int i = 0; i < clean.length; i++) {
            double bar = objective.schedule().alphaCumprod((int) batch.timesteps()[i / each]);
            clean[i] = (float) ((batch.noisyLatents().data()[i] - Math.sqrt(1 - bar) * batch.target().data()[i])
                    / Math.sqrt(bar));
        }
        return clean;
    }

    @Test
    void accumulatedBatchesEqualOneLargeBatch() {
        Dataset.TrainingExample[] three = {example(filled(1, 2, 2)), example(filled(2, 2, 2)),
                example(filled(3, 2, 2))};
        Dataset large = dataset(USUAL, 6, Optional.empty(), three);
        Dataset parts = dataset(accumulating(3), 2, Optional.empty(), three);
        for (int step = 0; step < 5; step++) {
            TrainingBatch whole = large.batch(9, step, 0);
            for (int pass = 0; pass < 3; pass++) {
                assertEquals(whole.noisyLatents().rows(2 * pass, 2 * pass + 2),
                        parts.batch(9, step, pass).noisyLatents());
                assertEquals(whole.target().rows(2 * pass, 2 * pass + 2), parts.batch(9, step, pass).target());
            }
        }
    }

    @Test
    void accumulatedGradientIsTheMeanOverBatches() throws Exception {
        Dataset parts = dataset(accumulating(2), 1, Optional.empty(), example(filled(1, 2, 2)));
        double[] losses = {3, 5};
        int[] request = {0};
        DenoisingLoss.Gradient gradient = new GradientAccumulation(parts, Optional.empty(), 0)
                .gradient((parameters, batch) -> {
                    double loss = losses[request[0]++];
                    return new DenoisingLoss.Gradient(loss, new float[] {(float) loss, 1});
                }, new float[2], 0);
        assertEquals(4, gradient.loss());
        assertArrayEquals(new float[] {4, 1}, gradient.vector());
    }

    @Test
    void priorLossWeightScalesTheClassImages() throws Exception {
        TrainingConfig config = USUAL.with(
                Map.of(TrainingSetting.CLASS_IMAGES, "auto", TrainingSetting.PRIOR_LOSS_WEIGHT, 0.5));
        Dataset subject = dataset(config, 2, Optional.empty(), example(filled(1, 2, 2)));
        Dataset prior = new Dataset("prior ", List.of(example(filled(-1, 2, 2))), CONDITIONING, subject.sampling());
        List<TrainingBatch> batches = new GradientAccumulation(subject, Optional.of(prior), 0).batches(3);
        assertEquals(2, batches.size());
        assertArrayEquals(new float[] {1, 1}, batches.get(0).lossWeights().data());
        assertArrayEquals(new float[] {0.5f, 0.5f}, batches.get(1).lossWeights().data());
        assertEquals(-1, clean(batches.get(1))[0], 0.1);
        DenoisingLoss.Gradient sum = new GradientAccumulation(subject, Optional.of(prior), 0)
                .gradient((parameters, batch) -> {
                    double mean = batch.lossWeights().data()[0] * 2;
                    return new DenoisingLoss.Gradient(mean, new float[] {(float) mean});
                }, new float[1], 0);
        assertEquals(3, sum.loss(), "subject 2 + half of the class's 2");
    }

    @Test
    void batchesHoldOneShapeInProportionToThePhotos() {
        Dataset mixed = dataset(USUAL, 2, Optional.empty(), example(filled(1, 2, 4)), example(filled(2, 4, 2)),
                example(filled(3, 2, 4)), example(filled(4, 2, 4)));
        int[] wide = {0};
        int[] seen = new int[5];
        for (int step = 0; step < 40; step++) {
            TrainingBatch batch = mixed.batch(1, step, 0);
            if (batch.noisyLatents().shape().size(3) == 4) wide[0]++;
            float[] clean = clean(batch);
            for (int i = 0; i < 2; i++) {
                double sum = 0;
                for (int j = 0; j < 32; j++) sum += clean[i * 32 + j];
                seen[(int) Math.round(sum / 32)]++;
            }
        }
        assertEquals(30, wide[0]);
        assertArrayEquals(new int[] {0, 20, 20, 20, 20}, seen, "every photo equally often");
    }

    @Test
    void randomCropsCoverThePhoto() {
        Tensor wide = Tensor.zeros(Shape.of(1, 4, 2, 5));
        for (int i = 0; i < wide.data().length; i++) wide.data()[i] = 10 * (i % 5);
        Dataset dataset = dataset(USUAL, 1, Optional.of(2), example(wide));
        int[] lefts = new int[4];
        for (int step = 0; step < 200; step++) {
            TrainingBatch batch = dataset.batch(3, step, 0);
            if (batch.timesteps()[0] > 500) continue; // too noisy to read the pixels back
            float[] clean = clean(batch);
            int left = Math.round(clean[0] / 10);
            lefts[left]++;
            assertEquals(10 * (left + 1), clean[1], 0.1);
            assertEquals(batch.noisyLatents(), dataset.batch(3, step, 0).noisyLatents());
        }
        for (int count : lefts) assertTrue(count > 5, java.util.Arrays.toString(lefts));
    }

    @Test
    void flipsPhotoAndMaskTogetherHalfOfTheTime() {
        Tensor latents = Tensor.zeros(Shape.of(1, 4, 1, 2));
        Tensor mirrored = Tensor.zeros(Shape.of(1, 4, 1, 2));
        for (int i = 0; i < 8; i++) latents.data()[i] = mirrored.data()[7 - i] = i % 2 == 0 ? 100 : -100;
        Tensor mask = new Tensor(Shape.of(1, 1, 1, 2), new float[] {2, 0});
        Dataset dataset = dataset(USUAL, 1, Optional.empty(),
                new Dataset.TrainingExample(latents, Optional.of(mirrored), Optional.of(mask), List.of("a")));
        int flipped = 0;
        for (int step = 0; step < 100; step++) {
            TrainingBatch batch = dataset.batch(3, step, 0);
            boolean mirror = clean(batch)[0] < 0;
            assertArrayEquals(mirror ? new float[] {0, 2} : new float[] {2, 0}, batch.lossWeights().data());
            if (mirror) flipped++;
        }
        assertTrue(flipped > 30 && flipped < 70, "flipped " + flipped);
    }

    @Test
    void minSnrWeightsSamplesByTimestepAndKeepsMasks() {
        TrainingConfig config = USUAL.with(TrainingSetting.MIN_SNR_GAMMA, 5.0);
        Tensor mask = new Tensor(Shape.of(1, 1, 1, 2), new float[] {2, 0});
        Dataset dataset = dataset(config, 2, Optional.empty(),
                new Dataset.TrainingExample(filled(1, 1, 2), Optional.empty(), Optional.of(mask), List.of("a")));
        for (int step = 0; step < 20; step++) {
            TrainingBatch batch = dataset.batch(0, step, 0);
            float[] snr = objective.minSnrWeights(batch.timesteps(), 5).data();
            assertArrayEquals(new float[] {2 * snr[0], 0, 2 * snr[1], 0}, batch.lossWeights().data(), 1e-6f);
            if (batch.timesteps()[0] < 100) assertTrue(snr[0] < 0.9 && snr[1] == 1, "low noise has a smaller weight");
        }
    }

    @Test
    void noiseOffsetShiftsWholeChannels() {
        Dataset.TrainingExample one = example(filled(0, 8, 8));
        Dataset plain = dataset(USUAL, 1, Optional.empty(), one);
        Dataset shifted = dataset(USUAL.with(TrainingSetting.NOISE_OFFSET, 0.5), 1,
                Optional.empty(), one);
        float[] before = plain.batch(0, 0, 0).target().data();
        float[] after = shifted.batch(0, 0, 0).target().data();
        List<Float> shifts = new ArrayList<>();
        for (int channel = 0; channel < 4; channel++) {
            shifts.add(after[64 * channel] - before[64 * channel]);
            for (int i = 0; i < 64; i++)
                assertEquals(shifts.getLast(), after[64 * channel + i] - before[64 * channel + i], 1e-5);
        }
        assertEquals(4, shifts.stream().distinct().count());
    }

    @Test
    void heldOutBatchIsFixed() {
        Dataset held = dataset(USUAL, 4, Optional.empty(), example(filled(1, 2, 2)));
        TrainingBatch batch = held.fixedBatch(4, 4, 8);
        assertEquals(batch.noisyLatents(), held.fixedBatch(4, 4, 8).noisyLatents());
        assertArrayEquals(new float[] {562, 687, 812, 937}, batch.timesteps());
        assertTrue(!batch.noisyLatents().equals(held.fixedBatch(0, 4, 8).noisyLatents()));
    }
}
