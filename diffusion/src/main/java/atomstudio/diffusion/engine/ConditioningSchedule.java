package atomstudio.diffusion.engine;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.PromptEncoder.PromptEmbeddings;
import atomstudio.diffusion.prompt.PromptSchedule;
import atomstudio.diffusion.prompt.PromptSchedule.Pass;
import java.util.ArrayList;
import java.util.List;

/// What the network attends to from step to step.
@FunctionalInterface
interface ConditioningSchedule {
    /// @param step of the pass, from 1
    PromptEmbeddings embeddingsAt(int step, Pass pass) throws Failure;

    /// The same at every step.
    static ConditioningSchedule of(PromptEmbeddings embeddings) {
        return (step, pass) -> embeddings;
    }

    /// A generation's prompts, each as its brackets change it.
    static ConditioningSchedule of(Generation generation, PromptEncoder encoder) {
        PromptSchedule positive = PromptSchedule.parse(generation.prompt().positive());
        PromptSchedule negative = PromptSchedule.parse(generation.prompt().negative());
        return (step, pass) -> encoder.encode(
                new Generation.PromptPair(positive.at(step, pass), negative.at(step, pass)),
                generation.settings().clipSkip(), generation.adapters());
    }

    /// Every step of a pass, so that nothing is left to read once it has begun.
    default List<PromptEmbeddings> forAllSteps(Pass pass) throws Failure {
        List<PromptEmbeddings> all = new ArrayList<>();
        for (int step = 1; step <= pass.steps(); step++) all.add(embeddingsAt(step, pass));
        return all;
    }
}
