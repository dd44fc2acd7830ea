/// Pictures: read from whatever cameras and tools write, cut to the size a model wants, written with their settings
/// as text.
@NullMarked
package atomstudio.diffusion.image;

import org.jspecify.annotations.NullMarked;
