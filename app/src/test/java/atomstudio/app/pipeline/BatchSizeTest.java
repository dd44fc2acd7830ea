package atomstudio.app.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.engine.Generation;
import atomstudio.diffusion.engine.Generation.GenerationSettings;
import atomstudio.diffusion.engine.Generation.Hires;
import atomstudio.diffusion.engine.Generation.PromptPair;
import atomstudio.diffusion.engine.GenerationBatch;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.sample.SamplerName;
import atomstudio.diffusion.sample.SamplingSettings;
import atomstudio.diffusion.sample.ScheduleName;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BatchSizeTest {
    private static Generation generation(int width, int height) {
        return new Generation(new PromptPair("a", ""),
                GenerationSettings.of(SamplingSettings.of(SamplerName.DDIM, ScheduleName.AUTOMATIC, 1), 1, width,
                        height),
                0, List.of());
    }

    @Test
    void fitsIntoHalfOfTheMemory() {
        assertEquals(1, BatchSize.fitting(0, 100));
        assertEquals(1, BatchSize.fitting(-5, 100));
        assertEquals(1, BatchSize.fitting(399, 100));
        assertEquals(2, BatchSize.fitting(400, 100));
        assertEquals(BatchSize.MAX_AUTOMATIC, BatchSize.fitting(Long.MAX_VALUE, 100));
    }

    @Test
    void aChosenBatchIsLimitedByMemory() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<String> warnings = new ArrayList<>();
        assertEquals(4, BatchSize.limited(4, model, Device.CPU, generation(64, 64), warnings::add));
        assertEquals(List.of(), warnings);
        int limited = BatchSize.limited(10_000, model, Device.CPU, generation(2048, 2048), warnings::add);
        assertTrue(limited >= 1 && limited < 10_000, limited + " images");
        assertTrue(warnings.getFirst().endsWith(": " + limited + " are sampled together."), warnings.toString());
        assertEquals(10_000, BatchSize.limited(10_000, model, Device.CUDA, generation(2048, 2048), warnings::add));
    }

    @Test
    void largerImagesNeedMoreMemory() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        long small = BatchSize.bytesPerImage(model, generation(128, 128));
        assertTrue(BatchSize.bytesPerImage(model, generation(256, 128)) >= 2 * small);
        assertEquals(BatchSize.bytesPerImage(model, generation(192, 192)),
                BatchSize.bytesPerImage(model, generation(128, 128).with(new Hires(1.5, 0.5))));
    }

    @Test
    void splitsSeedsEvenly() throws Exception {
        DiffusionModel model = DiffusionModel.open(Shared.root().resolve("assets/default-model"));
        List<Long> seeds = LongStream.range(0, 10).boxed().toList();
        try (ImageGenerator generator = ImageGenerator.open(model, Device.CPU)) {
            generator.setBatchSize(4);
            List<GenerationBatch> batches = generator.batches(generation(64, 64), seeds);
            assertEquals(List.of(3, 3, 4), batches.stream().map(GenerationBatch::size).toList());
            assertEquals(seeds, batches.stream().flatMap(batch -> batch.seeds().stream()).toList());
        }
    }
}
