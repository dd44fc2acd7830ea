package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;

/// Where a comparison's pictures come from.
@FunctionalInterface
interface ImageLookup {
    Picture load(Comparison.ComparisonRow row, int prompt, long seed) throws Failure;
}
