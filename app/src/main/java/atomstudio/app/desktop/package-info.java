/// What the window needs of the desktop and the person's home folder, as small interfaces.
@NullMarked
package atomstudio.app.desktop;

import org.jspecify.annotations.NullMarked;
