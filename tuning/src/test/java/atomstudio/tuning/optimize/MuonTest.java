package atomstudio.tuning.optimize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import atomstudio.diffusion.engine.Device;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.tuning.method.CounterRng;
import atomstudio.tuning.torch.ComputeDtype;
import atomstudio.tuning.torch.Torch;
import atomstudio.tuning.torch.TorchSettings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MuonTest {
    private static Torch opened;
    private static Muon.Orthogonalization torch;

    @BeforeAll
    static void load() throws Exception {
        opened = Torch.open(Device.CPU, TorchSettings.standard());
        torch = new Torch.NewtonSchulz(opened, ComputeDtype.FP32);
    }

    @AfterAll
    static void release() {
        opened.close();
    }

    private static final float[] MATRIX = {1, 2, -1, 0.5f, -3, 2};
    /// From `goldens/optimizers.py`: five Newton-Schulz steps in float64.
    private static final double[] ORTHOGONAL = {0.5758848983324456, 0.3865750174744429, -0.09763816133841541,
            0.3389554344455863, -0.5033430482926198, 0.3993282637942839};

    @Test
    void newtonSchulzMatchesReference() throws Exception {
        float[] found = torch.orthogonalize(MATRIX, 1, 2, 3);
        for (int i = 0; i < 6; i++) assertEquals(ORTHOGONAL[i], found[i], 2e-6);
        assertArrayEquals(new float[6], torch.orthogonalize(new float[6], 1, 2, 3), "zeros stay zero");
    }

    @Test
    void tallMatrixIsTransposed() throws Exception {
        float[] tall = torch.orthogonalize(new float[] {1, 0.5f, 2, -3, -1, 2}, 1, 3, 2);
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 3; j++) assertEquals(ORTHOGONAL[i * 3 + j], tall[j * 2 + i], 2e-6);
    }

    @Test
    void matricesOfABatchAreIndependent() throws Exception {
        float[] batch = new float[18];
        System.arraycopy(MATRIX, 0, batch, 0, 6);
        for (int i = 0; i < 6; i++) batch[12 + i] = -100 * MATRIX[i];
        float[] found = torch.orthogonalize(batch, 3, 2, 3);
        for (int i = 0; i < 6; i++) {
            assertEquals(ORTHOGONAL[i], found[i], 2e-6);
            assertEquals(0, found[6 + i]);
            assertEquals(-ORTHOGONAL[i], found[12 + i], 2e-6);
        }
    }

    @Test
    void bfloat16IsCloseToFloat32() throws Exception {
        float[] found = new Torch.NewtonSchulz(opened, ComputeDtype.BF16).orthogonalize(MATRIX, 1, 2, 3);
        for (int i = 0; i < 6; i++) assertEquals(ORTHOGONAL[i], found[i], 3e-2);
    }

    /// One batch holds matrices of one shape, wherever they are in the vector.
    @Test
    void shapesMayAlternate() throws Exception {
        Muon muon = new Muon(List.of(Shape.of(2, 3), Shape.of(3, 2), Shape.of(2, 3)), 18, torch);
        float[] gradient = new float[18];
        System.arraycopy(MATRIX, 0, gradient, 0, 6);
        System.arraycopy(new float[] {1, 0.5f, 2, -3, -1, 2}, 0, gradient, 6, 6);
        for (int i = 0; i < 6; i++) gradient[12 + i] = -MATRIX[i];
        float[] parameters = new float[18];
        muon.step(parameters, gradient, 0.1);
        double scale = 0.1 * 0.2 * Math.sqrt(3);
        for (int i = 0; i < 6; i++) {
            assertEquals(-scale * ORTHOGONAL[i], parameters[i], 1e-6);
            assertEquals(-scale * ORTHOGONAL[i % 2 * 3 + i / 2], parameters[6 + i], 1e-6);
            assertEquals(scale * ORTHOGONAL[i], parameters[12 + i], 1e-6);
        }
    }

    @Test
    void matricesUseMuonAndVectorsAdamW() throws Exception {
        Muon muon = new Muon(List.of(Shape.of(2, 3), Shape.of(2)), 8, torch);
        float[] parameters = new float[8];
        muon.step(parameters, new float[] {1, 2, -1, 0.5f, -3, 2, 4, -5}, 0.1);
        for (int i = 0; i < 6; i++) assertEquals(-0.1 * 0.2 * Math.sqrt(3) * ORTHOGONAL[i], parameters[i], 1e-6);
        assertEquals(-0.1, parameters[6], 1e-5);
        assertEquals(0.1, parameters[7], 1e-5);
    }

    @Test
    void resumesBitwiseFromItsState() throws Exception {
        List<Shape> shapes = List.of(Shape.of(2, 2), Shape.of(3));
        float[] straight = new float[7];
        Muon one = new Muon(shapes, 7, torch);
        for (int k = 0; k < 6; k++) one.step(straight, gradient(k), 0.01);
        float[] resumed = new float[7];
        Muon before = new Muon(shapes, 7, torch);
        for (int k = 0; k < 3; k++) before.step(resumed, gradient(k), 0.01);
        Muon after = new Muon(shapes, before.state(), 3, torch);
        for (int k = 3; k < 6; k++) after.step(resumed, gradient(k), 0.01);
        assertArrayEquals(straight, resumed);
    }

    /// A plain Java implementation took hours per step at Stable Diffusion 1.5's size.
    @Test
    void largeMatrixTakesSeconds() {
        float[] large = new CounterRng(1, "large").normals(640 * 2880);
        assertTimeout(Duration.ofSeconds(20), () -> {
            float[] found = torch.orthogonalize(large, 1, 640, 2880);
            double square = 0;
            for (float number : found) square += number * (double) number;
            assertEquals(1, Math.sqrt(square / 640), 0.3, "singular values about 1");
        });
    }

    private static float[] gradient(int step) {
        float[] gradient = new float[7];
        for (int i = 0; i < 7; i++) gradient[i] = (float) Math.sin(step * 7 + i);
        return gradient;
    }
}
