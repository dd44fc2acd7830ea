package atomstudio.app.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.app.pipeline.ModelDefaults;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class GenerationRateTest {
    private static RowGenerator.RowRequest request(int steps, int side) {
        ImageSettings settings = ImageSettings.initial(ModelDefaults.ofSize(128));
        return new RowGenerator.RowRequest(Path.of("/model"), "a car", Optional.empty(),
                settings.withSampling(settings.sampling().withSteps(steps))
                        .withSize(new ImageSettings.OutputSize(side, side)));
    }

    @Test
    void timeGrowsWithStepsAndImages() {
        GenerationRate rate = new GenerationRate();
        rate.add(request(20, 128), 2);
        assertEquals(OptionalDouble.of(2), rate.seconds(request(20, 128), 1));
        assertEquals(OptionalDouble.of(16), rate.seconds(request(40, 128), 4));
    }

    @Test
    void otherWorkIsUnknown() {
        GenerationRate rate = new GenerationRate();
        assertEquals(OptionalDouble.empty(), rate.seconds(request(20, 128), 1));
        rate.add(request(20, 128), 2);
        assertEquals(OptionalDouble.empty(), rate.seconds(request(20, 256), 1));
    }
}
