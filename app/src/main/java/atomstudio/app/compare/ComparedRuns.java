package atomstudio.app.compare;

import atomstudio.app.compare.ComparisonRequest.ComparedSubject;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.model.ModelReference;
import atomstudio.tuning.adapter.BaseModel;
import atomstudio.tuning.run.RunFolder;
import atomstudio.tuning.run.RunInfo;
import java.nio.file.Path;
import java.util.List;

/// The base model, class and trigger word that compared runs share.
public record ComparedRuns(ModelReference model, ComparedSubject subject) {
    /// @param tokenizerFolders searched for the tokenizer of a model without one
    /// @throws Failure.Unreadable if a folder is not a run
    /// @throws Failure.Incompatible if the runs differ in these, or one is not finished
    public static ComparedRuns read(List<Path> runs, List<Path> tokenizerFolders) throws Failure {
        RunInfo first = new RunFolder(runs.getFirst()).info();
        for (Path run : runs) {
            RunFolder folder = new RunFolder(run);
            requireSame(runs.getFirst(), first, run, folder.info());
            if (folder.trainingReport().isEmpty()) {
                throw new Failure.Incompatible(
                        run + ": expected a finished run, found one at step " + folder.checkpointStep() + " of "
                                + folder.info().config().steps() + ". Finish it with `studio resume " + run
                                + "`, or omit it.");
            }
        }
        return new ComparedRuns(first.baseModel().model(tokenizerFolders),
                new ComparedSubject(first.subject().className(), first.subject().token()));
    }

    private static void requireSame(Path firstRun, RunInfo first, Path run, RunInfo other) throws Failure.Incompatible {
        if (!BaseModel.sameWeights(first.baseModel().hash(), other.baseModel().hash()))
            throw mismatch("base model", firstRun, first.baseModel().name() + " at " + first.baseModel().path(), run,
                    other.baseModel().name() + " at " + other.baseModel().path());
        if (!first.subject().className().equals(other.subject().className()))
            throw mismatch("class", firstRun, first.subject().className(), run, other.subject().className());
        if (!first.subject().token().equals(other.subject().token()))
            throw mismatch("trigger word", firstRun, first.subject().token(), run, other.subject().token());
    }

    private static Failure.Incompatible mismatch(String what, Path firstRun, String first, Path run, String other) {
        return new Failure.Incompatible("runs that differ in the " + what + " cannot be compared: " + firstRun + " has "
                + first + ", " + run + " has " + other + ". Compare them separately.");
    }
}
