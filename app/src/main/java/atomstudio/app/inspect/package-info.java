/// Describes models, runs, adapters, tensor files and images without loading a native library.
@NullMarked
package atomstudio.app.inspect;

import org.jspecify.annotations.NullMarked;
