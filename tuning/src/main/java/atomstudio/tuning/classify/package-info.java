/// Classifiers fine-tuned on folders of images, one folder per class.
@NullMarked
package atomstudio.tuning.classify;

import org.jspecify.annotations.NullMarked;
