/// Model folders in diffusers' layout: which networks they hold, where their numbers lie, and why one cannot be run.
@NullMarked
package atomstudio.diffusion.model;

import org.jspecify.annotations.NullMarked;
