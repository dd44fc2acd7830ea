/// PyTorch through DJL: the backend that runs and differentiates networks. The only package that uses `ai.djl`.
@NullMarked
package atomstudio.tuning.torch;

import org.jspecify.annotations.NullMarked;
