/// Training runs in the window: queue, progress, loss chart, previews and the list of past runs.
@NullMarked
package atomstudio.app.runs;

import org.jspecify.annotations.NullMarked;
