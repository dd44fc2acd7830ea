/// Settings of training as data: one row of a table per setting, from which command line, window, files and
/// documentation are made.
@NullMarked
package atomstudio.tuning.setting;

import org.jspecify.annotations.NullMarked;
