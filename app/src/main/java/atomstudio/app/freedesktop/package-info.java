/// The program in Linux desktops, by the conventions of freedesktop.org and Unity: the entry of the applications menu,
/// and progress in docks and taskbars.
@NullMarked
package atomstudio.app.freedesktop;

import org.jspecify.annotations.NullMarked;
