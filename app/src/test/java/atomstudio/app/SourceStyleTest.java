package atomstudio.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.puppycrawl.tools.checkstyle.Checker;
import com.puppycrawl.tools.checkstyle.ConfigurationLoader;
import com.puppycrawl.tools.checkstyle.PropertiesExpander;
import com.puppycrawl.tools.checkstyle.api.AuditEvent;
import com.puppycrawl.tools.checkstyle.api.AuditListener;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Line length, imports and the size of methods, by Checkstyle with `.ci/checkstyle.xml`. What the formatter writes is
/// checked in Maven's verify phase.
class SourceStyleTest {
    private static final Path ROOT = Path.of(System.getProperty("atomstudio.root"));

    @Test
    void sourcesFollowTheStyle() throws Exception {
        List<File> files = new ArrayList<>();
        for (String module : List.of("diffusion", "tuning", "app", "packaging")) files.addAll(sources(module));
        assertTrue(files.size() > 500, files.size() + " files");
        assertEquals(List.of(), violations(files));
    }

    @Test
    void longLinesAndUnusedImportsAreFound(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("A.java"),
                "import java.util.List;\n\nclass A {} //" + " x".repeat(60) + "\n");
        assertEquals(2, violations(List.of(file.toFile())).size());
    }

    private static List<File> sources(String module) throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src"))) {
            return files.filter(file -> file.toString().endsWith(".java")).map(Path::toFile).sorted().toList();
        }
    }

    private static List<String> violations(List<File> files) throws Exception {
        List<String> violations = new ArrayList<>();
        Checker checker = new Checker();
        checker.setModuleClassLoader(Checker.class.getClassLoader());
        checker.configure(ConfigurationLoader.loadConfiguration(ROOT.resolve(".ci/checkstyle.xml").toString(),
                new PropertiesExpander(new Properties())));
        checker.addListener(new Violations(violations));
        checker.process(files);
        checker.destroy();
        return violations;
    }

    private record Violations(List<String> found) implements AuditListener {
        @Override
        public void addError(AuditEvent event) {
            found.add(event.getFileName() + ":" + event.getLine() + ": " + event.getMessage());
        }

        @Override
        public void addException(AuditEvent event, Throwable thrown) {
            found.add(event.getFileName() + ": " + thrown);
        }

        @Override
        public void auditStarted(AuditEvent event) {}

        @Override
        public void auditFinished(AuditEvent event) {}

        @Override
        public void fileStarted(AuditEvent event) {}

        @Override
        public void fileFinished(AuditEvent event) {}
    }
}
