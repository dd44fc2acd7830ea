/// Taking an adapter out of the studio.
@NullMarked
package atomstudio.app.export;

import org.jspecify.annotations.NullMarked;
