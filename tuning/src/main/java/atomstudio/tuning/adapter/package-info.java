/// Adapter files: trained numbers with everything that says what they belong to.
@NullMarked
package atomstudio.tuning.adapter;

import org.jspecify.annotations.NullMarked;
