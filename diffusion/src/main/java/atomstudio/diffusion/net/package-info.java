/// The networks, each written once over `Ops`, and nothing else: no carrier, no files, no adapters.
@NullMarked
package atomstudio.diffusion.net;

import org.jspecify.annotations.NullMarked;
