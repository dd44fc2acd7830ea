/// Optimizers on a flat parameter vector; their state is stored in checkpoints.
@NullMarked
package atomstudio.tuning.optimize;

import org.jspecify.annotations.NullMarked;
