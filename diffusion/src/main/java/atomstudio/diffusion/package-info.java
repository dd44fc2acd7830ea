/// Failures that every package reports, and the escaping of untrusted text in messages.
@NullMarked
package atomstudio.diffusion;

import org.jspecify.annotations.NullMarked;
