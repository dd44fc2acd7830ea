/// JSON that people and other programs wrote: read with complaints that name the place and the key.
@NullMarked
package atomstudio.diffusion.json;

import org.jspecify.annotations.NullMarked;
