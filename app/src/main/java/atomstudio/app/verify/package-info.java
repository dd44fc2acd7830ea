/// Holding what this machine computes against reference values.
@NullMarked
package atomstudio.app.verify;

import org.jspecify.annotations.NullMarked;
