/// The algebra networks are written in, and the carrier that needs no native library.
@NullMarked
package atomstudio.diffusion.ops;

import org.jspecify.annotations.NullMarked;
