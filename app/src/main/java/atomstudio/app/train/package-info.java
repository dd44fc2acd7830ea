/// Tuning as the window shows it: choosing a method, watching a run, past runs.
@NullMarked
package atomstudio.app.train;

import org.jspecify.annotations.NullMarked;
