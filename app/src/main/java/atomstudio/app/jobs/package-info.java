/// Background jobs: start, cancellation, outcome, and delivery of values to the window's thread.
@NullMarked
package atomstudio.app.jobs;

import org.jspecify.annotations.NullMarked;
