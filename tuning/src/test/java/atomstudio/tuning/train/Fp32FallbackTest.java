package atomstudio.tuning.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import atomstudio.tuning.run.EventLog;
import atomstudio.tuning.run.EventSink;
import atomstudio.tuning.run.TrainingEvent;
import atomstudio.tuning.torch.BatchConditioning;
import atomstudio.tuning.torch.DenoisingLoss;
import atomstudio.tuning.torch.TrainingBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Fp32FallbackTest {
    private static final DenoisingLoss.Gradient GOOD = new DenoisingLoss.Gradient(1, new float[] {1, 2});
    private static final DenoisingLoss.Gradient BETTER = new DenoisingLoss.Gradient(1.1, new float[] {1, 2});

    @Test
    void recomputesOnlyOverflowedBatchesAndNotifiesOnce(@TempDir Path folder) throws Exception {
        List<TrainingEvent> reported = new ArrayList<>();
        try (EventLog log = EventLog.resume(folder.resolve("events.jsonl"), 0, -1)) {
            EventSink events = EventSink.of(log, reported::add);
            DenoisingLoss.Gradient[] next = {GOOD};
            ComputeMode.Fp32Fallback resort = new ComputeMode.Fp32Fallback((parameters, batch) -> next[0],
                    (parameters, batch) -> BETTER, events);
            Tensor one = Tensor.zeros(Shape.of(1, 1, 1, 1));
            TrainingBatch batch = new TrainingBatch(one, new float[] {1}, new BatchConditioning.Embedded(one), one,
                    one);
            assertSame(GOOD, resort.gradient(new float[2], batch));
            next[0] = new DenoisingLoss.Gradient(Double.NaN, new float[] {1, 2});
            assertSame(BETTER, resort.gradient(new float[2], batch));
            next[0] = new DenoisingLoss.Gradient(1, new float[] {1, Float.POSITIVE_INFINITY});
            assertSame(BETTER, resort.gradient(new float[2], batch));
            assertEquals(1, reported.size());
        }
    }
}
