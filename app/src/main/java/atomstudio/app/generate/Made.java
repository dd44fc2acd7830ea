package atomstudio.app.generate;

import atomstudio.diffusion.picture.GenerationText;
import atomstudio.diffusion.picture.Picture;

/// A picture and how it was made.
public record Made(Picture picture, GenerationText text) {}
