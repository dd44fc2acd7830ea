/// Comparison of runs: the same prompts and seeds with the base model and each run, as images, a sheet and an HTML
/// page.
@NullMarked
package atomstudio.app.compare;

import org.jspecify.annotations.NullMarked;
