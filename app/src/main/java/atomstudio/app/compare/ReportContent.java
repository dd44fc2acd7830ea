package atomstudio.app.compare;

import atomstudio.diffusion.picture.RgbImage;
import java.util.List;

/// What a sheet or a page shows around the galleries.
/// @param photos the pictures that were learned from
/// @param details how the pictures were made, in one line: model, sampler, steps, guidance, size
/// @param software the program and its version
record ReportContent(Comparison comparison, List<RgbImage> photos, String details, String software) {
    ReportContent {
        photos = List.copyOf(photos);
    }
}
