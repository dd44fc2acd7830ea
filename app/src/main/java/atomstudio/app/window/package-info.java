/// The window: navigation, status line, dropped files, closing, and the assembly of services.
@NullMarked
package atomstudio.app.window;

import org.jspecify.annotations.NullMarked;
