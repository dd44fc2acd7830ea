/// Adapters that other programs trained: how they name layers and numbers, and the same as methods of ours.
@NullMarked
package atomstudio.tuning.interop;

import org.jspecify.annotations.NullMarked;
