/// Tests of the `./studio` script.
@NullMarked
package atomstudio.app.launcher;

import org.jspecify.annotations.NullMarked;
