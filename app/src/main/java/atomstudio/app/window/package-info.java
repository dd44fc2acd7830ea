/// The window itself: top bar, sidebar, pages, and what it does on closing.
@NullMarked
package atomstudio.app.window;

import org.jspecify.annotations.NullMarked;
