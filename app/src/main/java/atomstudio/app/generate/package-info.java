/// Image generation in the window: prompt, settings, and the gallery of rows to compare.
@NullMarked
package atomstudio.app.generate;

import org.jspecify.annotations.NullMarked;
