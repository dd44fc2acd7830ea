/// The desktop application: a window and a command line, two doors to the same jobs.
@NullMarked
package atomstudio.app;

import org.jspecify.annotations.NullMarked;
