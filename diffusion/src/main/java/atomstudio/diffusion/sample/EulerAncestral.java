package atomstudio.diffusion.sample;

import atomstudio.diffusion.Failure;

/// Euler steps below the noise that is wanted, and fresh noise up to it, in latents x0 + σ · noise. Draws once a step, also at the last.
/// Source: [Ancestral]; Karras, Aittala, Aila and Laine 2022 for the Euler step.
public record EulerAncestral(double eta) implements Sampler {
    static Plan plan(Wanted wanted) throws Failure {
        return new Plan(new EulerAncestral(wanted.eta()), RatioReading.schedule(wanted, RatioReading.kDiffusion(wanted).steps(0)));
    }

    @Override public Stepped step(Moment at) throws Failure {
        Answer said = at.ask();
        Ancestral way = Ancestral.of(at.step(), eta);
        return new Stepped(way.noised(said.along(said.slope(), way.down()), at.draw()), said);
    }
}
