/// How files are written: whole or not at all, temporary ones removed, those in the studio's own folder for their
/// owner only.
@NullMarked
package atomstudio.diffusion.file;

import org.jspecify.annotations.NullMarked;
