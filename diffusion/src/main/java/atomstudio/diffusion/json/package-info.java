/// A JSON reader whose errors name the file and the key.
@NullMarked
package atomstudio.diffusion.json;

import org.jspecify.annotations.NullMarked;
