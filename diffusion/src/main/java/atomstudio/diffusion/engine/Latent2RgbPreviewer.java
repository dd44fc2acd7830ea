package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.SplittableRandom;

/// A picture's colours as a linear function of its latents, a pixel a latent pixel, enlarged: blurred, and right in
/// colour and place. The function is the least-squares one over a chart of random colours, in smooth and in hard
/// patches, that the model's own encoder turns into latents once: nothing to bring along or to download, and right
/// for any autoencoder.
/// @param weights three rows (red, green, blue in −1..1), each a weight for every latent channel and a constant
record Latent2RgbPreviewer(double[][] weights, int upscaleFactor) implements LatentPreviewer {
    /// Of an autoencoder that is fast enough to show every step itself.
    static final long MAX_DECODER_PARAMETERS = 5_000_000;
    private static final int PATCHES_PER_SIDE = 16;
    private static final int LATENTS_PER_PATCH = 2;

    static Latent2RgbPreviewer fit(DiffusionModel model, Engine engine) throws Failure {
        int upscaleFactor = model.vae().downsamplingFactor();
        RgbImage image = calibrationImage(PATCHES_PER_SIDE * LATENTS_PER_PATCH * upscaleFactor);
        Tensor latents = engine.encode(image.toTensor()).mean();
        Tensor colours = image
                .resize(PATCHES_PER_SIDE * LATENTS_PER_PATCH, PATCHES_PER_SIDE * LATENTS_PER_PATCH, Resampling.BILINEAR)
                .toTensor();
        int channels = Math.toIntExact(latents.shape().size(1));
        int pixels = PATCHES_PER_SIDE * LATENTS_PER_PATCH * PATCHES_PER_SIDE * LATENTS_PER_PATCH;
        double[][] inputs = new double[pixels][channels + 1];
        for (int i = 0; i < pixels; i++) {
            for (int c = 0; c < channels; c++)
                inputs[i][c] = latents.data()[c * pixels + i] * model.vae().scalingFactor();
            inputs[i][channels] = 1;
        }
        double[][] weights = new double[3][];
        for (int colour = 0; colour < 3; colour++)
            weights[colour] = leastSquares(inputs, colours.data(), colour * pixels);
        return new Latent2RgbPreviewer(weights, upscaleFactor);
    }

    /// Left half smooth, right half hard-edged.
    private static RgbImage calibrationImage(int side) {
        SplittableRandom random = new SplittableRandom(1);
        int[] colours = random.ints((long) PATCHES_PER_SIDE * PATCHES_PER_SIDE, 0, 1 << 24)
                .map(rgb -> 0xFF000000 | rgb)
                .toArray();
        RgbImage small = new RgbImage(PATCHES_PER_SIDE, PATCHES_PER_SIDE, colours);
        RgbImage smooth = small.resize(side, side, Resampling.BILINEAR);
        int[] argb = smooth.argb().clone();
        int patch = side / PATCHES_PER_SIDE;
        for (int i = 0; i < argb.length; i++)
            if (i % side >= side / 2) argb[i] = colours[i / side / patch * PATCHES_PER_SIDE + i % side / patch];
        return new RgbImage(side, side, argb);
    }

    /// w with Σ (w · x − y)² least, by the normal equations.
    private static double[] leastSquares(double[][] inputs, float[] targets, int offset) {
        int n = inputs[0].length;
        double[][] system = new double[n][n + 1];
        for (int i = 0; i < inputs.length; i++) {
            for (int row = 0; row < n; row++) {
                for (int column = 0; column < n; column++) system[row][column] += inputs[i][row] * inputs[i][column];
                system[row][n] += inputs[i][row] * targets[offset + i];
            }
        }
        return solve(system);
    }

    /// Gauss–Jordan elimination of a positive definite system.
    private static double[] solve(double[][] system) {
        int n = system.length;
        for (int pivot = 0; pivot < n; pivot++) {
            for (int row = 0; row < n; row++) {
                if (row == pivot) continue;
                double ratio = system[row][pivot] / system[pivot][pivot];
                for (int column = pivot; column <= n; column++) system[row][column] -= ratio * system[pivot][column];
            }
        }
        double[] solution = new double[n];
        for (int i = 0; i < n; i++) solution[i] = system[i][n] / system[i][i];
        return solution;
    }

    @Override
    public RgbImage preview(Tensor denoised) {
        Shape shape = denoised.shape();
        int channels = Math.toIntExact(shape.size(1));
        int planeSize = Math.toIntExact(shape.size(2) * shape.size(3));
        Tensor colours = Tensor.zeros(shape.with(1, 3));
        for (int colour = 0; colour < 3; colour++) {
            for (int i = 0; i < planeSize; i++) {
                double sum = weights[colour][channels];
                for (int c = 0; c < channels; c++) sum += weights[colour][c] * denoised.data()[c * planeSize + i];
                colours.data()[colour * planeSize + i] = (float) sum;
            }
        }
        RgbImage small = RgbImage.fromTensor(colours);
        return small.resize(small.width() * upscaleFactor, small.height() * upscaleFactor, Resampling.BICUBIC);
    }
}
