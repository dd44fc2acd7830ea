/// Prompt syntax (attention weights, prompt editing) and CLIP's tokenizer.
@NullMarked
package atomstudio.diffusion.prompt;

import org.jspecify.annotations.NullMarked;
