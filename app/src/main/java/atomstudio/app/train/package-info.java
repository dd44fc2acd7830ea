/// Selection of the tuning method and the training settings, and the start of a run.
@NullMarked
package atomstudio.app.train;

import org.jspecify.annotations.NullMarked;
