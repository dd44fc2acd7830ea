/// Selection of the Stable Diffusion model.
@NullMarked
package atomstudio.app.models;

import org.jspecify.annotations.NullMarked;
