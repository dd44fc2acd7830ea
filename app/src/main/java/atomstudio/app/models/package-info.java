/// Which Stable Diffusion the window works with.
@NullMarked
package atomstudio.app.models;

import org.jspecify.annotations.NullMarked;
