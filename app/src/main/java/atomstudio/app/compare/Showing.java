package atomstudio.app.compare;

import atomstudio.diffusion.picture.Picture;
import java.util.List;

/// What a sheet or a page shows around the galleries.
/// @param subject the pictures that were learned from
/// @param details how the pictures were made, in one line: model, sampler, steps, guidance, size
/// @param maker the program and its version
record Showing(Comparison comparison, List<Picture> subject, String details, String maker) {
    Showing {
        subject = List.copyOf(subject);
    }
}
