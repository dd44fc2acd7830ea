package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.ops.Layer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerSelectorTest {
    private static List<Layer> layers() throws Failure {
        return DiffusionModel.open(Shared.own("goldens/nets/sd1/model")).trainableLayers();
    }

    @ParameterizedTest
    @ValueSource(strings = {"conv_in", "down_blocks.*", "*.to_q", "*attn?.to_k", "up_blocks.*.attn1.*", "*"})
    void globMatchesLikeItsRegex(String glob) throws Exception {
        String regex = glob.replace(".", "\\.").replace("*", ".*").replace("?", ".");
        TuningMethod method = MethodSettings.parse("full", Map.of("layers", glob)).method();
        for (Layer layer : layers()) {
            boolean expected = layer.name().matches(regex) && !layer.name().startsWith("text_model.");
            if (!glob.equals("*")) assertEquals(expected, method.tunes(layer), glob + " " + layer.name());
        }
    }

    /// A setting in a file may contain such a pattern.
    @Test
    void patternWithManyStarsMatchesFast() throws Exception {
        List<Layer> layers = layers();
        MethodSettings settings = MethodSettings.parse("full",
                Map.of("layers", "*o*o*o*s*t*t*a*o*r*s*t*0*e*t*n*s*x*y"));
        assertThrows(Failure.Incompatible.class,
                () -> assertTimeoutPreemptively(Duration.ofSeconds(5), () -> settings.check("model", layers)));
    }
}
