package atomstudio.diffusion.sample;

import atomstudio.diffusion.tensor.Tensor;

/// What a step came to.
///
/// @param x the latents at the step's end
/// @param output what the network said of its beginning: later steps find it in their past, previews show its clean latents
record StepResult(Tensor x, ModelOutput output) {}
