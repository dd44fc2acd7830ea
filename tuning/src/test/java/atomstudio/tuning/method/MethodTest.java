package atomstudio.tuning.method;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.Inventory;
import atomstudio.diffusion.net.TimestepFeatures;
import atomstudio.diffusion.net.UNet;
import atomstudio.diffusion.net.UNet.Block;
import atomstudio.diffusion.net.UNet.Level;
import atomstudio.diffusion.ops.Layer;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.Test;

class MethodTest {
    @Test void countsOnStableDiffusion15EqualTheFormulas() {
        List<Layer> layers = Inventory.of(stableDiffusion15());
        assertEquals(4_212, new FilterAtoms(9).numbers(layers));
        assertEquals(52 * 4 * 9, new FilterAtoms(4).numbers(layers));
        assertEquals(58_880, new ChannelAtoms(4, 16).numbers(layers));
        assertEquals(797_184, new Lora(4).numbers(layers));
        assertEquals(199_296, new Lora(1).numbers(layers));
        assertEquals(4_212 + 58_880, new Sum(List.of(new FilterAtoms(9), new ChannelAtoms(4, 16))).numbers(layers));
    }

    @Test void theTimeEmbeddingIsTunedByChannelAtomsAndConvolutionsOfThreeAreNot() {
        List<Layer> layers = Inventory.of(stableDiffusion15());
        ChannelAtoms channels = new ChannelAtoms(4, 16);
        assertTrue(layers.stream().filter(layer -> layer.name().startsWith("time_embedding.linear_")).allMatch(channels::tunes));
        assertTrue(layers.stream().filter(layer -> layer.kernel() == 3).noneMatch(channels::tunes));
    }

    @Test void channelAtomsLeaveLayersAloneWhoseSidesDoNotDivide() {
        assertFalse(new ChannelAtoms(4, 16).tunes(new Layer("odd", Layer.Kind.LINEAR, Shape.of(8, 6), Layer.Bias.ABSENT)));
        assertTrue(new ChannelAtoms(2, 4).tunes(new Layer("even", Layer.Kind.LINEAR, Shape.of(8, 6), Layer.Bias.ABSENT)));
    }

    @Test void loraTunesTheFourProjectionsAlone() {
        List<String> tuned = Inventory.of(stableDiffusion15()).stream().filter(new Lora(4)::tunes).map(Layer::name).toList();
        assertEquals(16 * 8, tuned.size());
        assertTrue(tuned.stream().allMatch(name -> name.matches(".*\\.attn[12]\\.(to_q|to_k|to_v|to_out\\.0)")));
    }

    @Test void refusesWhatCannotBe() {
        assertThrows(IllegalArgumentException.class, () -> new FilterAtoms(0));
        assertThrows(IllegalArgumentException.class, () -> new FilterAtoms(10));
        assertThrows(IllegalArgumentException.class, () -> new ChannelAtoms(1, 1));
        assertThrows(IllegalArgumentException.class, () -> new ChannelAtoms(4, 17));
        assertThrows(IllegalArgumentException.class, () -> new Lora(0));
        Sum twice = new Sum(List.of(new FilterAtoms(9), new FilterAtoms(4)));
        IllegalArgumentException overlap = assertThrows(IllegalArgumentException.class, () -> twice.slots(new Layer("conv_in", Layer.Kind.CONV, Shape.of(4, 4, 3, 3), Layer.Bias.PRESENT)));
        assertTrue(overlap.getMessage().contains("conv_in"));
    }

    @Test void settingsParseTheNamesOnOffer() throws Exception {
        assertEquals(new FilterAtoms(6), MethodSettings.parse("atoms", 6, 4).method());
        assertEquals(new ChannelAtoms(4, 16), MethodSettings.parse("channels", 9, 4).method());
        assertEquals(new Sum(List.of(new FilterAtoms(9), new ChannelAtoms(4, 16))), MethodSettings.parse("atoms+channels", 9, 4).method());
        assertEquals(new Lora(8), MethodSettings.parse("lora", 9, 8).method());
        assertEquals(MethodSettings.parse("lora", 9, 8), MethodSettings.parse("lora", 3, 8), "atoms mean nothing to LoRA");
        Failure unknown = assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("magic", 9, 4));
        assertTrue(unknown.getMessage().contains("magic") && unknown.getMessage().contains("atoms, channels, atoms+channels, lora"));
        Failure many = assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("atoms", 12, 4));
        assertTrue(many.getMessage().contains("12") && many.getMessage().contains("1 to 9"));
        assertThrows(Failure.Incompatible.class, () -> MethodSettings.parse("lora", 9, 0));
    }

    @Test void loraStartsUniformWithinOneOverTheRootOfItsInputs() {
        Layer layer = new Layer("attn1.to_q", Layer.Kind.LINEAR, Shape.of(64, 256), Layer.Bias.ABSENT);
        Tensor a = new Lora(4).slots(layer).getFirst().start().numbers(Tensor.zeros(layer.weight()), new Noise(0, "x"));
        double largest = 0;
        double square = 0;
        for (float number : a.data()) {
            largest = Math.max(largest, Math.abs(number));
            square += (double) number * number / a.data().length;
        }
        assertTrue(largest <= 1 / 16.0 && largest > 0.99 / 16);
        assertEquals(1 / 16.0 / Math.sqrt(3), Math.sqrt(square), 0.002);
    }

    @Test void leadingAtomsReconstructAsTheSingularValuesSay() {
        float[] a = {2, 1, 0, -1, 1, 3, 0.5f, 0, 1};
        float[] numbers = new float[300];
        Noise random = new Noise(1, "rows");
        float[] mix = random.normals(300);
        for (int row = 0; row < 100; row++) for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) numbers[row * 3 + j] += mix[row * 3 + i] * a[i * 3 + j] * (i == 2 ? 0 : 1);
        Tensor rows = new Tensor(Shape.of(100, 3), numbers);
        float[] d = SingularVectors.leading(rows, 3).data();
        for (int i = 0; i < 3; i++) for (int j = 0; j < 3; j++) {
            double dot = 0;
            for (int k = 0; k < 3; k++) dot += d[i * 3 + k] * d[j * 3 + k];
            assertEquals(i == j ? 1 : 0, dot, 1e-6, "orthonormal");
        }
        for (int row = 0; row < 100; row++) {
            double onThird = 0;
            for (int k = 0; k < 3; k++) onThird += numbers[row * 3 + k] * d[6 + k];
            assertEquals(0, onThird, 1e-5, "a matrix of rank 2 has nothing along its third vector");
        }
        assertArrayEquals(d, SingularVectors.leading(rows, 3).data());
        assertTrue(variance(numbers, d, 0) >= variance(numbers, d, 1));
    }

    @Test void noiseIsAFunctionOfSeedStreamAndPosition() {
        Noise noise = new Noise(5, "a");
        assertEquals(noise.bits(7), new Noise(5, "a").bits(7));
        assertNotEquals(noise.bits(7), new Noise(6, "a").bits(7));
        assertNotEquals(noise.bits(7), new Noise(5, "b").bits(7));
        float[] normals = noise.normals(20_001);
        double mean = 0;
        double square = 0;
        double fourth = 0;
        for (float x : normals) {
            mean += x / 20_001;
            square += x * x / 20_001;
            fourth += Math.pow(x, 4) / 20_001;
        }
        assertEquals(0, mean, 0.03);
        assertEquals(1, square, 0.03);
        assertEquals(3, fourth, 0.2);
        assertArrayEquals(java.util.Arrays.copyOf(normals, 11), noise.normals(11));
    }

    private static double variance(float[] rows, float[] d, int vector) {
        double sum = 0;
        for (int row = 0; row < 100; row++) {
            double dot = 0;
            for (int k = 0; k < 3; k++) dot += rows[row * 3 + k] * d[vector * 3 + k];
            sum += dot * dot;
        }
        return sum;
    }

    private static UNet stableDiffusion15() {
        return new UNet(new UNet.Channels(4, 4),
                List.of(new Level(320, 8, Block.CROSS_ATTENTION), new Level(640, 8, Block.CROSS_ATTENTION), new Level(1280, 8, Block.CROSS_ATTENTION), new Level(1280, 8, Block.PLAIN)),
                2, 768, new UNet.Norm(32, 1e-5), UNet.Projection.CONV, new TimestepFeatures(320, TimestepFeatures.Order.COSINE_SINE, 0));
    }
}
