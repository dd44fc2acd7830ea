package atomstudio.app.cli;

import java.util.List;

/// The commands, in the order in which help lists them. A new command is a class with picocli's `@Command` and a line
/// here.
final class Commands {
    private Commands() {}

    static List<Object> all(CommandContext context) {
        return List.of(
                new TrainCommand(context),
                new ResumeCommand(context),
                new GenerateCommand(context),
                new CompareCommand(context),
                new DemoCommand(context),
                new ExperimentCommand(context),
                new ExportCommand(context),
                new MethodsCommand(context),
                new SamplersCommand(context),
                new InspectCommand(context),
                new VerifyCommand(context));
    }
}
