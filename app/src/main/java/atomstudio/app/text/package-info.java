/// The texts of the window.
@NullMarked
package atomstudio.app.text;

import org.jspecify.annotations.NullMarked;
