/// Tuning methods: what each allocates for a layer, and how its numbers change the layer's weight. Knows no network
/// and no carrier.
@NullMarked
package atomstudio.tuning.method;

import org.jspecify.annotations.NullMarked;
