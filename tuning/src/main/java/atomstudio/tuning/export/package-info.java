/// Trained numbers as files: for this program, and as other programs know them.
@NullMarked
package atomstudio.tuning.export;

import org.jspecify.annotations.NullMarked;
