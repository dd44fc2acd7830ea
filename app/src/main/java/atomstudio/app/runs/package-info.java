/// TODO
@NullMarked
package atomstudio.app.runs;

import org.jspecify.annotations.NullMarked;
