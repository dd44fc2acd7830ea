/// WebP's container and its lossless bit stream (VP8L).
@NullMarked
package atomstudio.diffusion.image.webp;

import org.jspecify.annotations.NullMarked;
