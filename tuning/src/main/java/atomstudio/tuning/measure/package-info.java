/// How near pictures come to a subject, how much they differ, and whether they show what was asked for.
@NullMarked
package atomstudio.tuning.measure;

import org.jspecify.annotations.NullMarked;
