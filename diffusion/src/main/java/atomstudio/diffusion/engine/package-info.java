/// The networks of an engine and image generation over it: prompt encoding, sampling, decoding, previews, goldens.
@NullMarked
package atomstudio.diffusion.engine;

import org.jspecify.annotations.NullMarked;
