package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;

/// A gradient that leaves bfloat16's numbers is computed once more in float32 before it counts as diverged, and the first time that is said.
final class Resort implements Trainer.Loss {
    private final Trainer.Loss half;
    private final Trainer.Loss full;
    private final Journal journal;
    private boolean said;

    Resort(Trainer.Loss half, Trainer.Loss full, Journal journal) {
        this.half = half;
        this.full = full;
        this.journal = journal;
    }

    @Override public DenoisingLoss.Gradient gradient(float[] numbers, TrainingBatch batch) throws Failure {
        DenoisingLoss.Gradient gradient = half.gradient(numbers, batch);
        if (finite(gradient)) return gradient;
        if (!said) journal.note(new TuneEvent.Note(0, "bf16 left the numbers: this batch, and others like it, are computed in fp32"));
        said = true;
        return full.gradient(numbers, batch);
    }

    private static boolean finite(DenoisingLoss.Gradient gradient) {
        double sum = gradient.loss();
        for (float number : gradient.vector()) sum += number;
        return Double.isFinite(sum);
    }
}
