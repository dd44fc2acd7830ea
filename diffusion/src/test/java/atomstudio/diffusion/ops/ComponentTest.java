package atomstudio.diffusion.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;

import atomstudio.diffusion.tensor.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ComponentTest {
    /// Adapters and runs have such names.
    @ParameterizedTest
    @CsvSource({"UNET, 1, conv_in, conv_in",
            "UNET, 1, up_blocks.1.attentions.0.proj_in, up_blocks.1.attentions.0.proj_in",
            "TEXT_ENCODER, 1, text_model.final_layer_norm, text_model.final_layer_norm",
            "TEXT_ENCODER, 2, text_model.final_layer_norm, text_encoder_2.text_model.final_layer_norm"})
    void layerNamesOfFilesNameTheirComponent(Component.Kind kind, int index, String path, String name) {
        Component component = new Component(kind, index);
        assertEquals(name, new Layer(component, path, Layer.Kind.NORM, Shape.of(4), Layer.Bias.PRESENT).name());
        assertEquals(component, Component.ofLayerName(name));
        assertEquals(path, component.path(name));
    }

    @Test
    void layersOfOtherComponentsHaveNamesOfTheirOwn() {
        assertEquals("vae.decoder.conv_in",
                new Layer(Component.VAE, "decoder.conv_in", Layer.Kind.CONV, Shape.of(4, 4, 3, 3), Layer.Bias.PRESENT)
                        .name());
    }

    @Test
    void componentsAreListedByKindAndIndex() {
        Component second = Component.textEncoder(2);
        assertEquals("text_encoder_2", second.folder());
        assertEquals(List.of(Component.UNET, Component.VAE, Component.TEXT_ENCODER, second),
                List.of(second, Component.TEXT_ENCODER, Component.VAE, Component.UNET).stream().sorted().toList());
    }
}
