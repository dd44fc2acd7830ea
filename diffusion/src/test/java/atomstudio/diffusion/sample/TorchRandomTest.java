package atomstudio.diffusion.sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import org.junit.jupiter.api.Test;

class TorchRandomTest {
    @Test
    void imageNoiseDoesNotDependOnTheBatch() {
        NoiseSource batch = NoiseSource.ofSeeds(7, 8);
        NoiseSource alone = NoiseSource.ofSeeds(8);
        for (int draw = 0; draw < 3; draw++) {
            Tensor both = batch.draw(Shape.of(2, 4, 3, 5));
            assertEquals(alone.draw(Shape.of(1, 4, 3, 5)), both.rows(1, 2));
        }
    }

    @Test
    void rejectsBatchThatDiffersFromTheNumberOfSeeds() {
        NoiseSource source = NoiseSource.ofSeeds(1, 2);
        assertTrue(assertThrows(IllegalArgumentException.class, () -> source.draw(Shape.of(3, 4, 8, 8))).getMessage()
                .contains("expected 2 rows"));
    }

    /// `torch.randint(10, (8,), generator=torch.Generator().manual_seed(5))`, torch 2.7.1.
    @Test
    void randintMatchesPyTorch() {
        TorchRandom random = new TorchRandom(5);
        int[] expected = {1, 4, 7, 5, 6, 0, 2, 3};
        for (int number : expected) assertEquals(number, random.randint(10));
    }
}
