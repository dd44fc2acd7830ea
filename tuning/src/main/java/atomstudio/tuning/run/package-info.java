/// The files of a training run: description, checkpoints, events, report and lock.
@NullMarked
package atomstudio.tuning.run;

import org.jspecify.annotations.NullMarked;
