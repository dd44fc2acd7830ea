/// Prompts, settings and galleries.
@NullMarked
package atomstudio.app.generate;

import org.jspecify.annotations.NullMarked;
