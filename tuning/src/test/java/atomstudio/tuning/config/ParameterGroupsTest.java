package atomstudio.tuning.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.ops.Component;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.MethodName;
import atomstudio.tuning.method.MethodSetting;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ParameterGroupsTest {
    @Test
    void theFirstGroupWithAValueGivesIt() {
        ParameterGroups groups = ParameterGroups
                .parse("up_blocks.1.*:weight-decay=0.5; up_blocks.*:learning-rate=1e-4,weight-decay=0");
        assertEquals("up_blocks.1.*:weight-decay=0.5;up_blocks.*:learning-rate=0.0001,weight-decay=0",
                groups.toString());
        assertEquals(groups, ParameterGroups.parse(groups.toString()));
        assertEquals(OptionalDouble.of(0.5), groups.weightDecay(layer("up_blocks.1.x")));
        assertEquals(OptionalDouble.of(1e-4), groups.learningRate(layer("up_blocks.1.x")));
        assertEquals(OptionalDouble.of(0), groups.weightDecay(layer("up_blocks.2.x")));
        assertEquals(OptionalDouble.empty(), groups.learningRate(layer("mid_block.x")));
    }

    private static Layer layer(String name) {
        return new Layer(Component.UNET, name, Layer.Kind.LINEAR, Shape.of(2, 2), Layer.Bias.ABSENT);
    }

    @Test
    void ranksBelongToTheMethod() {
        ChosenSettings chosen = new ChosenSettings(Optional.of(MethodName.LORA), Optional.empty(),
                Map.of(TrainingSetting.GROUPS, "attention,up:rank=8;mid_block.*:rank=2,weight-decay=0.1"));
        assertEquals("mid_block.*:weight-decay=0.1", chosen.values().get(TrainingSetting.GROUPS));
        assertEquals("attention,up=8;mid_block.*=2", chosen.values().get(MethodSetting.RANK_PATTERN));
        String message = assertThrows(IllegalArgumentException.class,
                () -> chosen.methodSettings(MethodName.ATOMS)).getMessage();
        assertTrue(message.startsWith("rank-pattern: belongs to lora"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|',
            value = {"up|expected LAYERS:learning-rate=X", "up:rate=1|expected learning-rate, weight",
                    "up:learning-rate=-1|expected learning-rate 0 or more and below 10, found -1",
                    "up:weight-decay=2|expected weight-decay 0 to 1, found 2",
                    "up:rank=1.5|expected rank a whole number",
                    "up:rank=1,rank=2|expected each value once", "up:learning-rate|expected LAYERS:"})
    void rejectsWrongText(String text, String message) {
        String found = assertThrows(IllegalArgumentException.class, () -> ParameterGroups.parse(text)).getMessage();
        assertTrue(found.startsWith("group: " + message), found);
    }
}
