/// The images generated in the window: their folder, its index, and the views that show them.
@NullMarked
package atomstudio.app.gallery;

import org.jspecify.annotations.NullMarked;
