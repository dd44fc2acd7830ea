/// TODO
@NullMarked
package atomstudio.app.runtime;

import org.jspecify.annotations.NullMarked;
