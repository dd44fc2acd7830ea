/// Atomic writes, temporary files, file permissions and text files.
@NullMarked
package atomstudio.diffusion.file;

import org.jspecify.annotations.NullMarked;
