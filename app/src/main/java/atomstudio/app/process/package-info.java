/// Training runs as child processes: their specification, start and control.
@NullMarked
package atomstudio.app.process;

import org.jspecify.annotations.NullMarked;
