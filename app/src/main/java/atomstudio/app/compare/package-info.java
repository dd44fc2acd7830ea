/// Comparing what tuning did: the same prompts and seeds from the base model and from each run, as pictures, one
/// sheet and a page.
@NullMarked
package atomstudio.app.compare;

import org.jspecify.annotations.NullMarked;
