/// Noise schedules and samplers: functions of a denoiser, noise levels and noise, independent of any network.
@NullMarked
package atomstudio.diffusion.sample;

import org.jspecify.annotations.NullMarked;
