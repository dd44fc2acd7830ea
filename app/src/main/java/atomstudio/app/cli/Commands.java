package atomstudio.app.cli;

import java.util.List;

/// The commands, in the order in which help lists them. A new command is a class with picocli's `@Command` and a line here.
final class Commands {
    private Commands() {}

    static List<Object> all(Studio studio) {
        return List.of(
                new TuneCommand(studio),
                new ResumeCommand(studio),
                new GenerateCommand(studio),
                new CompareCommand(studio),
                new DemoCommand(studio),
                new ExperimentCommand(studio),
                new ExportCommand(studio),
                new MethodsCommand(studio),
                new SamplersCommand(studio),
                new InspectCommand(studio),
                new VerifyCommand(studio));
    }
}
