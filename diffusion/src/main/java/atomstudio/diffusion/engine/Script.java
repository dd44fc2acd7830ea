package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.PromptEncoder.Contexts;
import atomstudio.diffusion.prompt.PromptSchedule;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import java.util.ArrayList;
import java.util.List;

/// What the network attends to from step to step.
@FunctionalInterface
interface Script {
    /// @param step of the pass, from 1
    Contexts at(int step, Pass pass) throws Failure;

    /// The same at every step.
    static Script of(Contexts contexts) {
        return (step, pass) -> contexts;
    }

    /// A generation's prompts, each as its brackets change it.
    static Script of(Generation generation, PromptEncoder prompts) {
        PromptSchedule text = PromptSchedule.parse(generation.prompt().text());
        PromptSchedule negative = PromptSchedule.parse(generation.prompt().negative());
        return (step, pass) -> prompts.contexts(new Generation.Prompt(text.at(step, pass), negative.at(step, pass)), generation.settings().clipSkip(), generation.adapters());
    }

    /// Every step of a pass, so that nothing is left to read once it has begun.
    default List<Contexts> all(Pass pass) throws Failure {
        List<Contexts> all = new ArrayList<>();
        for (int step = 1; step <= pass.steps(); step++) all.add(at(step, pass));
        return all;
    }
}
