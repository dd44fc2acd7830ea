/// TODO
@NullMarked
package atomstudio.tuning.data;

import org.jspecify.annotations.NullMarked;
