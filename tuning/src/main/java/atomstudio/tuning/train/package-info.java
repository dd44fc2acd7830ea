/// Training: a run is a folder that can be stopped, killed and resumed, and ends with an adapter.
@NullMarked
package atomstudio.tuning.train;

import org.jspecify.annotations.NullMarked;
