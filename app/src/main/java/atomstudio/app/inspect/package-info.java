/// What a file or folder is: models, runs, adapters, tensors, pictures; no native library.
@NullMarked
package atomstudio.app.inspect;

import org.jspecify.annotations.NullMarked;
