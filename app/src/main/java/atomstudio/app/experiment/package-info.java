/// Comparing methods: many runs of many settings, measured, in one table that can be gone on with.
@NullMarked
package atomstudio.app.experiment;

import org.jspecify.annotations.NullMarked;
