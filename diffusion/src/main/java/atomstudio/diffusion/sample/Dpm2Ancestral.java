package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.tensor.Tensor;

/// DPM2's steps below the noise that is wanted, and fresh noise up to it. Draws once a step, but not at the last.
/// Source: [Dpm2], [Ancestral].
public record Dpm2Ancestral(double eta) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new Dpm2Ancestral(wanted.eta()), RatioReading.schedule(wanted, Dpm2.points(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Ancestral way = Ancestral.of(at.step(), eta);
        Tensor x = Dpm2.to(at, said, way.down());
        return new Stepped(at.step().to().sigma() == 0 ? x : way.noised(x, at.draw()), said);
    }
}
