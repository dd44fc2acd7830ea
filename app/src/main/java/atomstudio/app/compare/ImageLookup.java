package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.RgbImage;

/// Where a comparison's pictures come from.
@FunctionalInterface
interface ImageLookup {
    RgbImage load(Comparison.ComparisonRow row, int prompt, long seed) throws Failure;
}
