/// PyTorch through DJL: the carrier that runs and differentiates. The only package that sees `ai.djl`.
@NullMarked
package atomstudio.tuning.torch;

import org.jspecify.annotations.NullMarked;
