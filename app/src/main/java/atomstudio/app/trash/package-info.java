/// The trash folder of the studio, and Undo.
@NullMarked
package atomstudio.app.trash;

import org.jspecify.annotations.NullMarked;
