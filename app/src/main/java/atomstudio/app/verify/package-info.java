/// Comparison of this machine's results with goldens.
@NullMarked
package atomstudio.app.verify;

import org.jspecify.annotations.NullMarked;
