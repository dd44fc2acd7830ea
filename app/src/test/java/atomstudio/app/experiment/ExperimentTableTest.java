package atomstudio.app.experiment;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExperimentTableTest {
    private static final ExperimentRow FIRST = ExperimentRows.of(ExperimentRows.tune("boat", "atoms", 2e-4, 100), 0.5,
            -0.25);
    private static final ExperimentRow SECOND = ExperimentRows.of(ExperimentRows.test("teapot", "lora-4", 2, 400), 0.75,
            0.5);

    @TempDir
    Path folder;
    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("new/experiment.csv");
    }

    @Test
    void rowsRoundTrip() throws Failure {
        ExperimentTable table = ExperimentTable.open(file);
        table.add(FIRST);
        table.add(SECOND);
        assertEquals(List.of(FIRST, SECOND), ExperimentTable.open(file).rows());
        assertTrue(ExperimentTable.open(file).contains(SECOND.key()));
        assertFalse(ExperimentTable.open(file).contains(ExperimentRows.test("teapot", "lora-4", 1, 400)));
    }

    @Test
    void rowHasTheColumnsOfTheHeader() throws Exception {
        ExperimentTable.open(file).add(FIRST);
        assertEquals(
                "phase,subject,kind,method,rate,steps,seed,numbers,bytes,seconds,peak_memory,checkpoint,likeness,"
                        + "diversity,alignment,encoder\n"
                        + "tune,boat,known "
                        + "class,atoms,2.0E-4,400,0,2268,10784,12.50,500000000,100,0.50000,,-0.25000,\"image_encoder "
                        + "of \"\"Small\"\", illustrated\"\n",
                Files.readString(file));
    }

    @Test
    void removesAnIncompleteLastRow() throws Exception {
        ExperimentTable.open(file).add(FIRST);
        String whole = Files.readString(file);
        Files.writeString(file, whole + "tune,boat,known cl");
        ExperimentTable table = ExperimentTable.open(file);
        assertEquals(List.of(FIRST), table.rows());
        table.add(SECOND);
        assertEquals(List.of(FIRST, SECOND), ExperimentTable.open(file).rows());
    }

    @Test
    void rejectsOtherFilesAndKeepsThem() throws Exception {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "my,own\n1,2\n");
        assertTrue(assertThrows(Failure.Unreadable.class, () -> ExperimentTable.open(file)).getMessage()
                .contains("experiment.csv"));
        assertEquals("my,own\n1,2\n", Files.readString(file));
        ExperimentTable.open(folder.resolve("other.csv")).add(FIRST);
        String damaged = Files.readString(folder.resolve("other.csv")).replace("known class", "some class");
        Files.writeString(folder.resolve("other.csv"), damaged);
        assertThrows(Failure.Unreadable.class, () -> ExperimentTable.open(folder.resolve("other.csv")));
    }
}
