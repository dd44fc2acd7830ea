/// CLIP metrics of generated images: similarity to the subject (CLIP-I), diversity, and prompt alignment (CLIP-T).
@NullMarked
package atomstudio.tuning.measure;

import org.jspecify.annotations.NullMarked;
