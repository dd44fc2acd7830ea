/// TODO
@NullMarked
package atomstudio.app.pipeline;

import org.jspecify.annotations.NullMarked;
