/// TODO
@NullMarked
package atomstudio.tuning.config;

import org.jspecify.annotations.NullMarked;
