package atomstudio.app.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.tensor.Deviation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class SamplerGoldenTest {
    @Test
    void matchesTrajectoriesInTheRepository() throws Exception {
        List<Path> files = goldens(Shared.root().resolve("diffusion/src/test/resources/goldens/samplers"));
        assertFalse(files.isEmpty());
        for (Path file : files) assertMatches(file);
    }

    @Test
    void matchesSharedTrajectoriesOfSupportedSamplers() throws Exception {
        List<Path> files = goldens(Shared.file("goldens/samplers"));
        int matched = 0;
        TreeSet<String> unsupported = new TreeSet<>();
        for (Path file : files) {
            try {
                assertMatches(file);
                matched++;
            } catch (Failure.Unsupported e) {
                unsupported.add(file.getFileName().toString().replaceFirst("-\\d+\\.safetensors", ""));
            }
        }
        assertEquals(List.of("dpm-2m", "dpmpp-2s", "dpmpp-3m"), new ArrayList<>(unsupported));
        assertEquals(74, matched);
    }

    private static void assertMatches(Path file) throws Failure {
        List<Deviation> deviations = SamplerGolden.verify(file);
        assertTrue(deviations.stream().anyMatch(d -> d.name().startsWith("step.")), file.toString());
        for (Deviation deviation : deviations) assertTrue(deviation.isWithinTolerance(), file + ": " + deviation);
    }

    private static List<Path> goldens(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList();
        }
    }

    @Test
    void rejectsFileWithoutConfig() {
        Path file = Shared.root().resolve("diffusion/src/test/resources/goldens/noise/randn.safetensors");
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SamplerGolden.verify(file)).getMessage()
                .contains("config"));
    }
}
