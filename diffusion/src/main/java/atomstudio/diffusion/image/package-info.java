/// Images: reading all common formats, cropping, resizing and masks, and writing PNG files with generation metadata.
@NullMarked
package atomstudio.diffusion.image;

import org.jspecify.annotations.NullMarked;
