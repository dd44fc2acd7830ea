/// What runs networks, and how a prompt becomes a picture with any of them.
@NullMarked
package atomstudio.diffusion.engine;

import org.jspecify.annotations.NullMarked;
