package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/// What goes through the network in one step: as many batches of the subject as are accumulated, and as many of its class where that is
/// to be preserved. The loss is the mean over the subject's pictures, plus the prior's weight times the mean over the class's.
/// @param bank where what the network's lower part says of the batches is kept
record Passes(Dataset subject, Optional<Dataset> prior, long seed, Optional<Bank> bank) {
    Passes(Dataset subject, Optional<Dataset> prior, long seed) {
        this(subject, prior, seed, Optional.empty());
    }

    /// The same with a bank, where the recipe has one.
    Passes banked(Path folder, Bank.Lower lower) {
        OptionalInt steps = subject.drawing().bank();
        return steps.isEmpty() ? this : new Passes(subject, prior, seed, Optional.of(new Bank(folder, steps.getAsInt(), lower)));
    }

    DenoisingLoss.Gradient gradient(Trainer.Loss loss, float[] numbers, int step) throws Failure {
        List<TrainingBatch> batches = batches(step);
        if (batches.size() == 1) return loss.gradient(numbers, batches.getFirst());
        double sum = 0;
        float[] vector = new float[numbers.length];
        double share = 1.0 / subject.drawing().recipe().update().accumulate();
        for (TrainingBatch batch : batches) {
            DenoisingLoss.Gradient gradient = loss.gradient(numbers, batch);
            sum += share * gradient.loss();
            for (int i = 0; i < vector.length; i++) vector[i] += (float) (share * gradient.vector()[i]);
        }
        return new DenoisingLoss.Gradient(sum, vector);
    }

    List<TrainingBatch> batches(int step) throws Failure {
        List<TrainingBatch> batches = drawn(step);
        if (bank.isEmpty()) return batches;
        List<TrainingBatch> known = new ArrayList<>();
        for (int pass = 0; pass < batches.size(); pass++) known.add(bank.get().with(batches.get(pass), step, pass));
        return known;
    }

    private List<TrainingBatch> drawn(int step) {
        List<TrainingBatch> batches = new ArrayList<>();
        for (int pass = 0; pass < subject.drawing().recipe().update().accumulate(); pass++) {
            batches.add(subject.batch(seed, step, pass));
            if (prior.isPresent()) batches.add(weighed(prior.get().batch(seed, step, pass)));
        }
        return batches;
    }

    private TrainingBatch weighed(TrainingBatch batch) {
        float by = (float) subject.drawing().recipe().weighing().prior().orElseThrow().weight();
        Tensor weights = new Tensor(batch.lossWeights().shape(), batch.lossWeights().data().clone());
        for (int i = 0; i < weights.data().length; i++) weights.data()[i] *= by;
        return batch.with(weights);
    }
}
