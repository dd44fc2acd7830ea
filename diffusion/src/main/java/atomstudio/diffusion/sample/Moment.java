package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/// Where a sampler stands before a step, and all that it may ask and draw.
///
/// @param x (B, C, H, W) in the schedule's own space
/// @param past what the network said at the steps before, latest first
/// @param ahead the steps after this one
record Moment(Step step, Tensor x, List<Answer> past, List<Step> ahead, Outside outside) {
    record Outside(Walk walk, Schedule schedule) {}

    boolean last() {
        return ahead.isEmpty();
    }

    /// What the network says where the step begins.
    Answer ask() throws Failure {
        return ask(x, step.from(), step.timestep());
    }

    /// What it says of latents at any level, told the time of that level.
    Answer ask(Tensor latents, Level at) throws Failure {
        return ask(latents, at, outside.schedule.clock().timestep(at.ratio()));
    }

    Answer ask(Tensor latents, Level at, double timestep) throws Failure {
        Prediction prediction = outside.schedule.prediction();
        Tensor shown = outside.schedule.space().shown(latents, at);
        Tensor output = outside.walk.denoiser().predict(shown, timestep);
        return new Answer(latents, at, prediction.clean(shown, output, at), prediction.noise(shown, output, at), output);
    }

    /// What it says of latents where the step ends.
    Answer askAtTheEnd(Tensor latents) throws Failure {
        return last() ? ask(latents, step.to()) : ask(latents, step.to(), ahead.getFirst().timestep());
    }

    /// Latents inside the step with what is kept put back, as noisy as a level.
    Tensor kept(Tensor latents, Level at) {
        return outside.walk.between().within(at, latents);
    }

    /// All that is known with this answer, latest first.
    List<Answer> with(Answer said) {
        return Stream.concat(Stream.of(said), past.stream()).toList();
    }

    /// Standard normal noise of the latents' shape.
    Tensor draw() {
        return outside.walk.random().draw(x.shape());
    }
}
