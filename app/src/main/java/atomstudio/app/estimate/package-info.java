/// Memory and time estimates of a run before it starts.
@NullMarked
package atomstudio.app.estimate;

import org.jspecify.annotations.NullMarked;
