/// Training runs: estimate, training loop, previews, validation, checkpoints and resuming.
@NullMarked
package atomstudio.tuning.train;

import org.jspecify.annotations.NullMarked;
