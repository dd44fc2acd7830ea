package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/// The entries of a ZIP archive by name, as stretches of the file, which is mapped. Every length and offset is
/// checked against the file.
final class StoredZip {
    private StoredZip() {}

    /// Where an entry's bytes lie in the file.
    /// @param isCompressed whether they are not the entry's own bytes
    record Entry(long offset, long length, boolean isCompressed) {}

    /// @param size of the file
    /// @throws Failure.Unreadable when the archive is truncated or its directory points outside the file
    static Map<String, Entry> entries(Path file, long size) throws Failure {
        Map<String, Entry> entries = new LinkedHashMap<>();
        try (ZipFile zip = ZipFile.builder().setPath(file).get()) {
            for (ZipArchiveEntry entry : Collections.list(zip.getEntries())) {
                entries.put(entry.getName(), span(file, entry, size));
            }
        } catch (IOException | RuntimeException e) {
            throw new Failure.Unreadable(
                    file + ": is truncated or damaged: its ZIP directory is missing or points outside the file; "
                            + "download or copy it again",
                    e);
        }
        return entries;
    }

    private static Entry span(Path file, ZipArchiveEntry entry, long size) throws Failure {
        boolean compressed = entry.getMethod() != ZipArchiveEntry.STORED
                || entry.getGeneralPurposeBit().usesEncryption();
        long at = entry.getDataOffset(), packed = entry.getCompressedSize();
        if (at < 0 || packed < 0 || packed > size - at || !compressed && packed != entry.getSize()) {
            throw new Failure.Unreadable(
                    file + ": is truncated or damaged: " + entry.getName() + " should have " + packed
                            + " bytes from " + at + ", the file has " + size + "; download or copy it again");
        }
        return new Entry(at, packed, compressed);
    }
}
