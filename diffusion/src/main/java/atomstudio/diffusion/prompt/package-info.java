/// From a prompt's text to the ids that a text encoder reads.
@NullMarked
package atomstudio.diffusion.prompt;

import org.jspecify.annotations.NullMarked;
