package atomstudio.tuning.classify;

import atomstudio.diffusion.image.PngWriter;
import atomstudio.diffusion.image.Resampling;
import atomstudio.diffusion.image.RgbImage;
import atomstudio.diffusion.tensor.SafetensorsFile;
import atomstudio.diffusion.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// scikit-learn's handwritten digits (see make.py beside the file) as folders of images.
final class Digits {
    private static final Path FILE = Path.of("src/test/resources/goldens/digits/digits.safetensors");
    private static final int SIDE = 8;

    private Digits() {}

    /// Writes the first `count` images of each of the first `classes` digits, enlarged to 32 × 32.
    static Path write(Path folder, int classes, int count) throws Exception {
        try (SafetensorsFile file = SafetensorsFile.open(FILE)) {
            Tensor images = file.read("images"), labels = file.read("labels");
            int[] written = new int[10];
            for (int i = 0; i < labels.data().length; i++) {
                int label = (int) labels.data()[i];
                if (label >= classes || written[label] == count) continue;
                int[] argb = new int[SIDE * SIDE];
                for (int p = 0; p < argb.length; p++)
                    argb[p] = 0xFF000000 | 0x010101 * Math.min(255, (int) images.data()[i * argb.length + p] * 16);
                Path target = folder.resolve("digit " + label).resolve(written[label]++ + ".png");
                Files.createDirectories(target.getParent());
                PngWriter.write(target, new RgbImage(SIDE, SIDE, argb).resize(32, 32, Resampling.BICUBIC), Map.of());
            }
        }
        return folder;
    }
}
