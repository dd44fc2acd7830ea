package atomstudio.app.generate;

import atomstudio.diffusion.picture.ImageMetadata;
import atomstudio.diffusion.picture.RgbImage;

/// A picture and how it was made.
public record GeneratedImage(RgbImage image, ImageMetadata metadata) {}
