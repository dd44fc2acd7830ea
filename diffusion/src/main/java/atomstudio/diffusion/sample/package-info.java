/// Noise schedules and the functions that walk them from noise to latents; nothing here knows a network.
@NullMarked
package atomstudio.diffusion.sample;

import org.jspecify.annotations.NullMarked;
