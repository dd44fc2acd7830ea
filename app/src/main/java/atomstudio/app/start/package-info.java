/// The start page, where subjects are created from photos.
@NullMarked
package atomstudio.app.start;

import org.jspecify.annotations.NullMarked;
