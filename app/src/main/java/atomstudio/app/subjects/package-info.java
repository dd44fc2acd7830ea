/// The page of a subject: photos, class word and trigger word, training, runs and generated images.
@NullMarked
package atomstudio.app.subjects;

import org.jspecify.annotations.NullMarked;
