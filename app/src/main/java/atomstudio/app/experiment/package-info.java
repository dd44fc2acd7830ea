/// Experiments: trains many runs of several methods and subjects, and measures them in one table that can be resumed.
@NullMarked
package atomstudio.app.experiment;

import org.jspecify.annotations.NullMarked;
