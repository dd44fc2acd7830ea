package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.model.DiffusionModel;
import atomstudio.diffusion.tensor.LinearSystem;
import atomstudio.diffusion.tensor.Shape;
import atomstudio.diffusion.tensor.Tensor;
import java.util.SplittableRandom;

/// Fast previews: RGB as a linear function of the latent channels, per latent pixel, resized to the image's size
/// (latent2rgb). The coefficients are fitted by least squares to a chart of random colours, smooth and hard-edged, that
/// the model's own encoder encodes once, so they fit any autoencoder.
/// @param weights rows for red, green and blue in −1..1: a coefficient per latent channel, and a constant
record Latent2RgbPreviewer(double[][] weights, int upscaleFactor) implements LatentPreviewer {
    /// Decoders up to this size are fast enough for previews of every step.
    static final long MAX_DECODER_PARAMETERS = 5_000_000;
    private static final int PATCHES_PER_SIDE = 16;
    private static final int LATENTS_PER_PATCH = 2;

    static Latent2RgbPreviewer fit(DiffusionModel model, Autoencoder autoencoder) throws Failure {
        int upscaleFactor = model.vae().downsamplingFactor();
        int side = PATCHES_PER_SIDE * LATENTS_PER_PATCH;
        RgbImage image = calibrationImage(side * upscaleFactor);
        Tensor latents = autoencoder.encode(image.toTensor()).mean();
        Tensor colours = image.resize(side, side, Resampling.BILINEAR).toTensor();
        int channels = Math.toIntExact(latents.shape().size(1));
        int pixels = side * side;
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

    /// Smooth in the left half, hard-edged in the right half.
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

    /// The w that minimizes Σ (w · x − y)², by the normal equations.
    private static double[] leastSquares(double[][] inputs, float[] targets, int offset) {
        int n = inputs[0].length;
        double[][] system = new double[n][n + 1];
        for (int i = 0; i < inputs.length; i++) {
            for (int row = 0; row < n; row++) {
                for (int column = 0; column < n; column++) system[row][column] += inputs[i][row] * inputs[i][column];
                system[row][n] += inputs[i][row] * targets[offset + i];
            }
        }
        return LinearSystem.solve(system);
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
