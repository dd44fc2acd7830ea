/// Builds the application image with its own Java runtime, and tests it by a smoke run.
@NullMarked
package atomstudio.packaging;

import org.jspecify.annotations.NullMarked;
