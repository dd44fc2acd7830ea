package atomstudio.app.cli;

import atomstudio.app.runtime.BuildInfo;
import picocli.CommandLine.IVersionProvider;

/// The output of `--version`: the program's version, Java and the operating system.
final class VersionProvider implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {
                "Atom Studio " + BuildInfo.current().version(),
                "Java %s, %s %s".formatted(Runtime.version(), System.getProperty("os.name"),
                        System.getProperty("os.arch"))
        };
    }
}
