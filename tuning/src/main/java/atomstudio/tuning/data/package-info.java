/// Training data: photo folders, masks and captions, prepared and encoded, and the batches sampled from them.
@NullMarked
package atomstudio.tuning.data;

import org.jspecify.annotations.NullMarked;
