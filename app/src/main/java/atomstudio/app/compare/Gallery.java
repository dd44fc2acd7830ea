package atomstudio.app.compare;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.Picture;

/// Where a comparison's pictures come from.
@FunctionalInterface
interface Gallery {
    Picture picture(Comparison.Row row, int prompt, long seed) throws Failure;
}
