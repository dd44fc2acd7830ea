/// TODO
@NullMarked
package atomstudio.app.process;

import org.jspecify.annotations.NullMarked;
