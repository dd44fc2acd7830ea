/// Small views that several pages are made of.
@NullMarked
package atomstudio.app.parts;

import org.jspecify.annotations.NullMarked;
