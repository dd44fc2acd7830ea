/// Adapters of other programs: key conventions, kinds, and their formulas as adaptations of layers.
@NullMarked
package atomstudio.tuning.interop;

import org.jspecify.annotations.NullMarked;
