/// TODO
@NullMarked
package atomstudio.app.settings;

import org.jspecify.annotations.NullMarked;
