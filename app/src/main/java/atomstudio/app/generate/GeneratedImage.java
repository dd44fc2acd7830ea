package atomstudio.app.generate;

import atomstudio.diffusion.picture.Making;
import atomstudio.diffusion.picture.Picture;

/// A picture and how it was made.
public record GeneratedImage(Picture image, Making metadata) {}
