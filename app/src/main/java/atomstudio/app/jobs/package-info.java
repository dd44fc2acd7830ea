/// What the window and the command line share: where things are, and how work is started.
@NullMarked
package atomstudio.app.jobs;

import org.jspecify.annotations.NullMarked;
