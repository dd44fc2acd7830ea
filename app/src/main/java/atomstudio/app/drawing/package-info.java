/// Drawing of the comparison sheet and the experiment plot, without a display or system fonts.
@NullMarked
package atomstudio.app.drawing;

import org.jspecify.annotations.NullMarked;
