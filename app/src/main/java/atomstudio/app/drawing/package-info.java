/// TODO
@NullMarked
package atomstudio.app.drawing;

import org.jspecify.annotations.NullMarked;
