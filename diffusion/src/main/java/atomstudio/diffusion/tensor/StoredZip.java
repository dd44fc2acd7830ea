package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Lists the entries of a memory-mapped ZIP archive as byte ranges of the file. Every length and offset is checked
/// against the file before it is used.
/// Source: PKWARE, APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.14 to 4.3.16 (with ZIP64).
final class StoredZip {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int END_SIGNATURE = 0x06054b50;
    private static final int ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
    private static final int ZIP64_END_SIGNATURE = 0x06064b50;
    private static final int CENTRAL_SIGNATURE = 0x02014b50;
    private static final int LOCAL_SIGNATURE = 0x04034b50;
    private static final int END_BYTES = 22;
    private static final int LOCATOR_BYTES = 20;
    private static final int CENTRAL_BYTES = 46;
    private static final int LOCAL_BYTES = 30;
    private static final int MAX_COMMENT_BYTES = 0xFFFF;
    private static final int MAX_ENTRIES = 1 << 20;
    private static final long ZIP64_SENTINEL = 0xFFFF_FFFFL;

    private final Path file;
    private final MemorySegment bytes;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /// The byte range of an entry's data in the file.
    /// @param isCompressed whether the data is compressed or encrypted
    record Entry(long offset, long length, boolean isCompressed) {}

    private StoredZip(Path file, MemorySegment bytes) {
        this.file = file;
        this.bytes = bytes;
    }

    /// @throws Failure.Unreadable when the archive is truncated or its directory points outside the file
    static Map<String, Entry> entries(Path file, MemorySegment bytes) throws Failure {
        StoredZip zip = new StoredZip(file, bytes);
        try {
            zip.read();
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            throw new Failure.Unreadable(
                    file + ": its ZIP directory points outside the file; download or copy it again", e);
        }
        return zip.entries;
    }

    private void read() throws Failure {
        long end = findEnd();
        long count = uint16(end + 10);
        long at = uint32(end + 16);
        if (end >= LOCATOR_BYTES && bytes.get(INT, end - LOCATOR_BYTES) == ZIP64_LOCATOR_SIGNATURE) {
            long end64 = bytes.get(LONG, end - LOCATOR_BYTES + 8);
            if (bytes.get(INT, end64) != ZIP64_END_SIGNATURE)
                throw damaged("its ZIP64 directory is not where it should be");
            count = bytes.get(LONG, end64 + 32);
            at = bytes.get(LONG, end64 + 48);
        }
        if (count < 0 || count > MAX_ENTRIES)
            throw damaged("its ZIP directory would have " + Long.toUnsignedString(count) + " entries");
        for (long i = 0; i < count; i++) {
            if (bytes.get(INT, at) != CENTRAL_SIGNATURE)
                throw damaged("entry " + i + " of its ZIP directory is missing");
            readEntry(at);
            at += CENTRAL_BYTES + uint16(at + 28) + uint16(at + 30) + uint16(at + 32);
        }
    }

    /// The end-of-directory record is at the end of the file, followed at most by a comment.
    private long findEnd() throws Failure {
        long last = bytes.byteSize() - END_BYTES;
        for (long at = last; at >= 0 && at >= last - MAX_COMMENT_BYTES; at--) {
            if (bytes.get(INT, at) == END_SIGNATURE) return at;
        }
        throw damaged("is truncated: a ZIP archive should end in its directory, which is missing");
    }

    private void readEntry(long at) throws Failure {
        long compressedSize = uint32(at + 20);
        long length = uint32(at + 24);
        long localOffset = uint32(at + 42);
        int nameLength = uint16(at + 28);
        String name = new String(bytes.asSlice(at + CENTRAL_BYTES, nameLength).toArray(ValueLayout.JAVA_BYTE),
                StandardCharsets.UTF_8);
        long extra = at + CENTRAL_BYTES + nameLength;
        long extraEnd = extra + uint16(at + 30);
        while (extra + 4 <= extraEnd) {
            int size = uint16(extra + 2);
            if (uint16(extra) == 1) { // ZIP64: only the fields that exceed 32 bits, in this order
                long next = extra + 4;
                if (length == ZIP64_SENTINEL) { length = bytes.get(LONG, next); next += 8; }
                if (compressedSize == ZIP64_SENTINEL) { compressedSize = bytes.get(LONG, next); next += 8; }
                if (localOffset == ZIP64_SENTINEL) localOffset = bytes.get(LONG, next);
            }
            extra += 4 + size;
        }
        boolean isCompressed = uint16(at + 10) != 0 || (uint16(at + 8) & 1) != 0;
        if (!isCompressed && compressedSize != length)
            throw damaged(name + ": stored uncompressed, but of " + compressedSize + " and " + length + " bytes");
        if (bytes.get(INT, localOffset) != LOCAL_SIGNATURE) throw damaged(name + ": is not at its directory offset");
        long data = localOffset + LOCAL_BYTES + uint16(localOffset + 26) + uint16(localOffset + 28);
        if (compressedSize < 0 || data < 0 || compressedSize > bytes.byteSize() - data)
            throw damaged("is truncated: " + name + " should have " + compressedSize + " bytes from " + data
                    + ", the file has " + bytes.byteSize());
        entries.put(name, new Entry(data, compressedSize, isCompressed));
    }

    private int uint16(long at) {
        return bytes.get(SHORT, at) & 0xFFFF;
    }

    private long uint32(long at) {
        return bytes.get(INT, at) & ZIP64_SENTINEL;
    }

    private Failure.Unreadable damaged(String what) {
        return new Failure.Unreadable(file + ": " + what + "; download or copy it again");
    }
}
