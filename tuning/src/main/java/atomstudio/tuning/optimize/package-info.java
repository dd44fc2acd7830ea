/// Optimizers on one vector of numbers. Their state is theirs to give and to take, since it is part of a checkpoint.
@NullMarked
package atomstudio.tuning.optimize;

import org.jspecify.annotations.NullMarked;
