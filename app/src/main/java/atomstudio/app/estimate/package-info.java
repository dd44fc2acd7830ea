/// TODO
@NullMarked
package atomstudio.app.estimate;

import org.jspecify.annotations.NullMarked;
