package atomstudio.diffusion.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AvailableMemoryTest {
    private static final long GB = 1L << 30;

    @TempDir
    private Path mount;

    private void group(String folder, String limitFile, String limit, String usageFile, long usage, String statistics)
            throws IOException {
        Path path = Files.createDirectories(mount.resolve(folder));
        Files.writeString(path.resolve(limitFile), limit + "\n");
        Files.writeString(path.resolve(usageFile), usage + "\n");
        Files.writeString(path.resolve("memory.stat"), statistics);
    }

    private void second(String folder, String limit, long usage, long cached) throws IOException {
        group(folder, "memory.max", limit, "memory.current", usage,
                "anon 5\nfile " + cached + "\ninactive_file " + cached / 2 + "\nactive_file " + cached / 2 + "\n");
    }

    private long available(String... groups) {
        return new AvailableMemory.ControlGroups(List.of(groups), mount).available();
    }

    @Test
    void theLimitOfAContainerCountsWithoutCachedFiles() throws IOException {
        second("app", Long.toString(3 * GB), 2 * GB, GB);
        assertEquals(2 * GB, available("0::/app"));
    }

    @Test
    void theLeastOfNestedGroupsCounts() throws IOException {
        second("outer", Long.toString(4 * GB), 3 * GB, 0);
        second("outer/inner", "max", GB, 0);
        assertEquals(GB, available("0::/outer/inner"));
    }

    @Test
    void aGroupOfTheHostIsTheRootOfTheContainer() throws IOException {
        second(".", Long.toString(2 * GB), GB, 0);
        assertEquals(GB, available("0::/kubepods/burstable/pod7"));
    }

    @Test
    void versionOneHasAFolderPerController() throws IOException {
        group("memory/app", "memory.limit_in_bytes", Long.toString(3 * GB), "memory.usage_in_bytes", 2 * GB,
                "cache 9\ntotal_inactive_file " + GB / 2 + "\ntotal_active_file 0\n");
        assertEquals(GB + GB / 2, available("5:cpuset:/", "4:memory:/app", "0::/"));
    }

    @Test
    void aGroupThatHoldsMoreThanItsLimitLeavesNothing() throws IOException {
        second("app", Long.toString(GB), 2 * GB, 0);
        assertEquals(0, available("0::/app"));
    }

    @Test
    void withoutGroupsThereIsNoLimit() {
        assertEquals(Long.MAX_VALUE, available());
        assertEquals(Long.MAX_VALUE, available("0::/"));
        assertTrue(AvailableMemory.bytes() > 0);
    }
}
