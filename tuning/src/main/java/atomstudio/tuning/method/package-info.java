/// Tuning methods: the trainable parameters of each layer, and how they change its weight and bias.
@NullMarked
package atomstudio.tuning.method;

import org.jspecify.annotations.NullMarked;
