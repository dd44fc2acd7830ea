package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.data.Dataset;
import atomstudio.tuning.data.UNetFeatureCache;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// The gradient of one step, accumulated over batches of photos and, with prior preservation, as many batches of class
/// images. The loss is the mean over the photos plus the prior loss weight times the mean over the class images.
/// @param featureCache of the UNet encoder's features, with cached noise samples
public record GradientAccumulation(Dataset subject, Optional<Dataset> classImages, long seed,
        Optional<UNetFeatureCache> featureCache) {
    public GradientAccumulation(Dataset subject, Optional<Dataset> classImages, long seed) {
        this(subject, classImages, seed, Optional.empty());
    }

    /// With a feature cache, if the config has cached noise samples.
    GradientAccumulation withFeatureCache(Path folder, UNetFeatureCache.FeatureExtractor featureExtractor) {
        OptionalInt steps = subject.sampling().cachedSteps();
        return steps.isEmpty() ? this
                : new GradientAccumulation(subject, classImages, seed,
                        Optional.of(new UNetFeatureCache(folder, steps.getAsInt(), featureExtractor)));
    }

    public DenoisingLoss.Gradient gradient(Trainer.LossFunction loss, float[] parameters, int step) throws Failure {
        List<TrainingBatch> batches = batches(step);
        if (batches.size() == 1) return loss.gradient(parameters, batches.getFirst());
        double sum = 0;
        float[] vector = new float[parameters.length];
        double weight = 1.0 / subject.sampling().config().optimizer().accumulationSteps();
        for (TrainingBatch batch : batches) {
            DenoisingLoss.Gradient gradient = loss.gradient(parameters, batch);
            sum += weight * gradient.loss();
            for (int i = 0; i < vector.length; i++) vector[i] += (float) (weight * gradient.vector()[i]);
        }
        return new DenoisingLoss.Gradient(sum, vector);
    }

    public List<TrainingBatch> batches(int step) throws Failure {
        List<TrainingBatch> batches = sampledBatches(step);
        if (featureCache.isEmpty()) return batches;
        List<TrainingBatch> cached = new ArrayList<>();
        for (int pass = 0; pass < batches.size(); pass++)
            cached.add(featureCache.get().with(batches.get(pass), step, pass));
        return cached;
    }

    private List<TrainingBatch> sampledBatches(int step) {
        List<TrainingBatch> batches = new ArrayList<>();
        for (int pass = 0; pass < subject.sampling().config().optimizer().accumulationSteps(); pass++) {
            batches.add(subject.batch(seed, step, pass));
            if (classImages.isPresent()) batches.add(withPriorWeight(classImages.get().batch(seed, step, pass)));
        }
        return batches;
    }

    private TrainingBatch withPriorWeight(TrainingBatch batch) {
        float weight = (float) subject.sampling().config().loss().priorPreservation().orElseThrow().weight();
        return batch.with(batch.lossWeights().scaled(weight));
    }
}
