/// TODO
@NullMarked
package atomstudio.app.start;

import org.jspecify.annotations.NullMarked;
