/// Export of a run's adapter to a file.
@NullMarked
package atomstudio.app.export;

import org.jspecify.annotations.NullMarked;
