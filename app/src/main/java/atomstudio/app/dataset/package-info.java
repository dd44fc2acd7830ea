/// Subjects: folders of photos with class word and trigger word.
@NullMarked
package atomstudio.app.dataset;

import org.jspecify.annotations.NullMarked;
