/// Controls shared by the pages of the window.
@NullMarked
package atomstudio.app.controls;

import org.jspecify.annotations.NullMarked;
