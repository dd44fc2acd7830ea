/// Adapter files: Atom Studio's own format, embeddings and adapters of other programs, and the hashes of base models.
@NullMarked
package atomstudio.tuning.adapter;

import org.jspecify.annotations.NullMarked;
