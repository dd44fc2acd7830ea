package atomstudio.tuning.train;

import atomstudio.diffusion.Failure;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;

/// A gradient that leaves bfloat16's numbers is computed once more in float32 before it counts as diverged, and the first time that is said.
final class Fp32Fallback implements Trainer.LossFunction {
    private final Trainer.LossFunction bf16;
    private final Trainer.LossFunction fp32;
    private final EventSink events;
    private boolean reported;

    Fp32Fallback(Trainer.LossFunction bf16, Trainer.LossFunction fp32, EventSink events) {
        this.bf16 = bf16;
        this.fp32 = fp32;
        this.events = events;
    }

    @Override public DenoisingLoss.Gradient gradient(float[] parameters, TrainingBatch batch) throws Failure {
        DenoisingLoss.Gradient gradient = bf16.gradient(parameters, batch);
        if (isFinite(gradient)) return gradient;
        if (!reported) events.emit(new TrainingEvent.Note(0, "bf16 left the numbers: this batch, and others like it, are computed in fp32"));
        reported = true;
        return fp32.gradient(parameters, batch);
    }

    private static boolean isFinite(DenoisingLoss.Gradient gradient) {
        double sum = gradient.loss();
        for (float number : gradient.vector()) sum += number;
        return Double.isFinite(sum);
    }
}
