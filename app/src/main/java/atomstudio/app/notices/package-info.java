/// Short messages in the corner of the window, with an action such as Undo.
@NullMarked
package atomstudio.app.notices;

import org.jspecify.annotations.NullMarked;
