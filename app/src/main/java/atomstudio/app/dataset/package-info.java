/// TODO
@NullMarked
package atomstudio.app.dataset;

import org.jspecify.annotations.NullMarked;
