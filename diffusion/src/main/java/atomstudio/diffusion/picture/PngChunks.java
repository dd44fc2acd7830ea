package atomstudio.diffusion.picture;

import java.awt.color.ICC_Profile;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;
import org.jspecify.annotations.Nullable;

/// The chunks of PNG files: length, type, data, checksum. A file may end behind its pixels without the chunk IEND, as many decoders allow.
/// Source: W3C, Portable Network Graphics (Third Edition), 5 and 11.3.
final class PngChunks {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    /// Longest chunk that is read, and how long it may become when it is inflated.
    static final int LONGEST = 16 << 20;
    /// What decides the pixels.
    private static final Set<String> PIXELS = Set.of("IHDR", "PLTE", "tRNS", "IDAT");
    private static final Set<String> COLOUR = Set.of("iCCP", "sRGB", "gAMA");

    /// Pixels of more bytes than this, and than so many times the file's, are refused: they would take many seconds.
    private static final double LARGE = 400e6;
    private static final double MOST_EXPANDED = 200;

    private PngChunks() {}

    /// A chunk that was looked for.
    /// @param problem what is wrong with it; `data` is empty then
    record Chunk(String type, byte[] data, Optional<String> problem) {}

    /// What a file says of its colours.
    /// @param gamma where it has neither a profile nor says that it is sRGB
    record Colour(Optional<ICC_Profile> profile, OptionalDouble gamma) {}

    /// Damaged ones count as none.
    static Colour colour(Path file) throws IOException {
        Optional<ICC_Profile> profile = Optional.empty();
        OptionalDouble gamma = OptionalDouble.empty();
        boolean srgb = false;
        for (Chunk chunk : chunks(file, COLOUR)) {
            byte[] data = chunk.data();
            if (chunk.type().equals("iCCP")) profile = profile(data);
            if (chunk.type().equals("gAMA") && data.length == 4) gamma = OptionalDouble.of((ByteBuffer.wrap(data).getInt() & 0xFFFFFFFFL) / 100_000.0);
            srgb |= chunk.type().equals("sRGB") && chunk.problem().isEmpty();
        }
        return new Colour(profile, profile.isPresent() || srgb ? OptionalDouble.empty() : gamma);
    }

    private static Optional<ICC_Profile> profile(byte[] chunk) {
        int name = zero(chunk, 0);
        if (name + 2 > chunk.length) return Optional.empty();
        try {
            return Profiles.read(inflate(chunk, name + 2, LONGEST));
        } catch (IOException unusable) {
            return Optional.empty();
        }
    }

    /// The EXIF block; empty where there is none, or a damaged one.
    static Optional<byte[]> exif(Path file) throws IOException {
        return chunks(file, Set.of("eXIf")).stream().filter(chunk -> chunk.problem().isEmpty()).map(Chunk::data).findFirst();
    }

    /// Compares the checksums of all that decides the pixels, which Java's own reader does not. Refuses a file that is almost nothing and
    /// becomes very large, before it is inflated.
    static void requireIntactPixels(Path file) throws IOException {
        try (Cursor cursor = new Cursor(file)) {
            while (cursor.next()) {
                if (!PIXELS.contains(cursor.type)) continue;
                if (cursor.type.equals("IHDR")) {
                    Chunk header = cursor.chunk();
                    if (header.problem().isPresent()) throw new IOException(header.problem().get());
                    requireBounded(header.data(), Files.size(file));
                    continue;
                }
                Optional<String> problem = cursor.check();
                if (problem.isPresent()) throw new IOException(problem.get());
            }
        }
    }

    private static void requireBounded(byte[] header, long length) throws IOException {
        if (header.length != 13) throw new IOException("its chunk IHDR has " + header.length + " bytes, 13 expected");
        ByteBuffer values = ByteBuffer.wrap(header);
        int channels = switch (header[9]) {
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> 1;
        };
        double bytes = (double) values.getInt(0) * values.getInt(4) * channels * header[8] / 8;
        if (bytes > LARGE && bytes > MOST_EXPANDED * length && (double) values.getInt(0) * values.getInt(4) <= Pictures.MOST_PIXELS) {
            throw new IOException("its " + length + " bytes would become " + (long) bytes / 1_000_000 + " MB");
        }
    }

    /// The chunks of these types, in the file's order.
    static List<Chunk> chunks(Path file, Set<String> wanted) throws IOException {
        List<Chunk> found = new ArrayList<>();
        try (Cursor cursor = new Cursor(file)) {
            while (cursor.next()) {
                if (wanted.contains(cursor.type)) found.add(cursor.chunk());
            }
        }
        return found;
    }

    /// One chunk with its length and checksum.
    static byte[] chunk(String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 checksum = new CRC32();
        checksum.update(name);
        checksum.update(data);
        return ByteBuffer.allocate(data.length + 12).putInt(data.length).put(name).put(data).putInt((int) checksum.getValue()).array();
    }

    /// Goes from chunk to chunk until the chunk IEND, or until the file ends.
    private static final class Cursor implements AutoCloseable {
        private final DataInputStream in;
        private final byte[] part = new byte[1 << 16];
        private long left;
        private String type = "";
        /// Of the present chunk, what is not yet read of its data.
        private long length;
        private boolean checked = true;

        Cursor(Path file) throws IOException {
            in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)));
            left = Files.size(file) - SIGNATURE.length;
            if (Arrays.equals(in.readNBytes(SIGNATURE.length), SIGNATURE)) return;
            in.close();
            throw new IOException("not a PNG file");
        }

        boolean next() throws IOException {
            if (!checked) {
                long behind = Math.min(length + 4, left);
                in.skipNBytes(behind);
                left -= behind;
            }
            if (type.equals("IEND") || left < 8) return false;
            length = in.readInt();
            type = new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
            left -= 8;
            checked = false;
            if (length < 0) throw new IOException("a chunk claims to be longer than a PNG file allows");
            return true;
        }

        Chunk chunk() throws IOException {
            if (length > LONGEST) return new Chunk(type, new byte[0], Optional.of("a chunk " + type + " is longer than " + (LONGEST >> 20) + " MB"));
            ByteArrayOutputStream data = new ByteArrayOutputStream();
            Optional<String> problem = check(data);
            return new Chunk(type, problem.isPresent() ? new byte[0] : data.toByteArray(), problem);
        }

        Optional<String> check() throws IOException {
            return check(null);
        }

        private Optional<String> check(@Nullable ByteArrayOutputStream copy) throws IOException {
            if (length + 4 > left) return Optional.of("the file ends within a chunk " + type);
            CRC32 checksum = new CRC32();
            checksum.update(type.getBytes(StandardCharsets.ISO_8859_1));
            left -= length + 4;
            while (length > 0) {
                int read = in.readNBytes(part, 0, (int) Math.min(part.length, length));
                if (read == 0) throw new IOException("the file became shorter while it was read");
                checksum.update(part, 0, read);
                if (copy != null) copy.write(part, 0, read);
                length -= read;
            }
            checked = true;
            return in.readInt() == (int) checksum.getValue() ? Optional.empty() : Optional.of("the checksum of a chunk " + type + " does not fit its data");
        }

        @Override public void close() throws IOException {
            in.close();
        }
    }

    /// Where the first zero byte lies; the end of the data where there is none.
    static int zero(byte[] data, int from) {
        int at = from;
        while (at < data.length && data[at] != 0) at++;
        return at;
    }

    /// @param most bytes; more are refused, so that a small file cannot fill the memory
    static byte[] inflate(byte[] data, int from, int most) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(data, from, data.length - from))) {
            byte[] part = new byte[8192];
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                out.write(part, 0, n);
                if (out.size() > most) throw new IOException("it becomes longer than " + most + " bytes when it is inflated");
            }
        }
        return out.toByteArray();
    }
}
