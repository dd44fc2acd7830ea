/// Small views that several pages are made of.
@NullMarked
package atomstudio.app.controls;

import org.jspecify.annotations.NullMarked;
