/// The application: window and command line over the same jobs.
@NullMarked
package atomstudio.app;

import org.jspecify.annotations.NullMarked;
