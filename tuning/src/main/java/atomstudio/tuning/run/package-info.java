/// TODO
@NullMarked
package atomstudio.tuning.run;

import org.jspecify.annotations.NullMarked;
