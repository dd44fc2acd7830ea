/// Opening Stable Diffusion models, in diffusers' folder layout or in one file: networks, weights and tokenizer.
@NullMarked
package atomstudio.diffusion.model;

import org.jspecify.annotations.NullMarked;
