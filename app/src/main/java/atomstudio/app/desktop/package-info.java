/// Interfaces to the desktop (clipboard, file choosers, system information) and formatting of amounts.
@NullMarked
package atomstudio.app.desktop;

import org.jspecify.annotations.NullMarked;
