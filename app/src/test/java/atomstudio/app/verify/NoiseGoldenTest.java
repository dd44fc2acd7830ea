package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Shared;
import atomstudio.diffusion.tensor.Deviation;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class NoiseGoldenTest {
    @Test
    void matchesPyTorchForSeedsInTheRepository() throws Exception {
        check(Shared.own("goldens/noise/randn.safetensors"), 33);
    }

    @Test
    void matchesPyTorchForAllSharedSeeds() throws Exception {
        check(Shared.file("goldens/noise/randn.safetensors"), 72);
    }

    private static void check(Path golden, int draws) throws Exception {
        List<Deviation> deviations = NoiseGolden.verify(golden);
        assertEquals(draws, deviations.size());
        for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), deviation.toString());
    }
}
