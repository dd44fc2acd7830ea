/// Stable Diffusion's networks, each written once over `Ops`, without backends, files or adapters.
@NullMarked
package atomstudio.diffusion.net;

import org.jspecify.annotations.NullMarked;
