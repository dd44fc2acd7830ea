/// Export of adapters: Atom Studio's own format and those of other programs.
@NullMarked
package atomstudio.tuning.export;

import org.jspecify.annotations.NullMarked;
