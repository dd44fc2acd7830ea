/// Search over the structures of GLoRA.
@NullMarked
package atomstudio.tuning.search;

import org.jspecify.annotations.NullMarked;
