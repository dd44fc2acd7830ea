package atomstudio.diffusion.image;

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

/// Reads and writes the chunks of PNG files: length, type, data, CRC. A missing IEND chunk is accepted, as by many
/// decoders.
/// Source: W3C, Portable Network Graphics (Third Edition), 5 and 11.3.
final class PngChunks {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    /// Limit on a chunk that is read, and on its size after decompression.
    static final int MAX_CHUNK_BYTES = 16 << 20;
    private static final Set<String> PIXEL_CHUNKS = Set.of("IHDR", "PLTE", "tRNS", "IDAT");
    private static final Set<String> COLOUR_CHUNKS = Set.of("iCCP", "sRGB", "gAMA");

    /// An image of more bytes than this, and of more than `MAX_EXPANSION` times the file size, is rejected: it would
    /// take many seconds to decode.
    private static final double LARGE_PIXEL_BYTES = 400e6;
    private static final double MAX_EXPANSION = 200;

    private PngChunks() {}

    /// @param problem why the chunk is invalid; `data` is empty then
    record Chunk(String type, byte[] data, Optional<String> problem) {}

    /// The declared colour space.
    /// @param gamma only if there is neither a profile nor an sRGB chunk
    record ColourSpace(Optional<ICC_Profile> profile, OptionalDouble gamma) {}

    /// The colour space; damaged chunks are ignored.
    static ColourSpace readColourSpace(Path file) throws IOException {
        Optional<ICC_Profile> profile = Optional.empty();
        OptionalDouble gamma = OptionalDouble.empty();
        boolean isSrgb = false;
        for (Chunk chunk : readChunks(file, COLOUR_CHUNKS)) {
            byte[] data = chunk.data();
            if (chunk.type().equals("iCCP")) profile = profile(data);
            if (chunk.type().equals("gAMA") && data.length == 4)
                gamma = OptionalDouble.of((ByteBuffer.wrap(data).getInt() & 0xFFFFFFFFL) / 100_000.0);
            isSrgb |= chunk.type().equals("sRGB") && chunk.problem().isEmpty();
        }
        return new ColourSpace(profile, profile.isPresent() || isSrgb ? OptionalDouble.empty() : gamma);
    }

    private static Optional<ICC_Profile> profile(byte[] chunk) {
        int nameEnd = indexOfZero(chunk, 0);
        if (nameEnd + 2 > chunk.length) return Optional.empty();
        try {
            return SrgbConverter.readProfile(inflate(chunk, nameEnd + 2, MAX_CHUNK_BYTES));
        } catch (IOException unusable) {
            return Optional.empty();
        }
    }

    /// The EXIF block; empty if missing or damaged.
    static Optional<byte[]> readExif(Path file) throws IOException {
        return readChunks(file, Set.of("eXIf")).stream()
                .filter(chunk -> chunk.problem().isEmpty())
                .map(Chunk::data)
                .findFirst();
    }

    /// Verifies the checksums of the pixel chunks, which Java's reader does not, and rejects a small file that would
    /// decompress to a very large image.
    static void requireIntactPixels(Path file) throws IOException {
        try (Cursor cursor = new Cursor(file)) {
            while (cursor.next()) {
                if (!PIXEL_CHUNKS.contains(cursor.type)) continue;
                if (cursor.type.equals("IHDR")) {
                    Chunk header = cursor.readChunk();
                    if (header.problem().isPresent()) throw new IOException(header.problem().get());
                    requireBounded(header.data(), Files.size(file));
                    continue;
                }
                Optional<String> problem = cursor.verifyChecksum();
                if (problem.isPresent()) throw new IOException(problem.get());
            }
        }
    }

    private static void requireBounded(byte[] header, long length) throws IOException {
        if (header.length != 13) throw new IOException("its IHDR chunk: expected 13 bytes, found " + header.length);
        ByteBuffer values = ByteBuffer.wrap(header);
        int channels = switch (header[9]) {
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> 1;
        };
        double bytes = (double) values.getInt(0) * values.getInt(4) * channels * header[8] / 8;
        if (bytes > LARGE_PIXEL_BYTES && bytes > MAX_EXPANSION * length
                && (double) values.getInt(0) * values.getInt(4) <= ImageDecoder.MAX_PIXELS) {
            throw new IOException("its " + length + " bytes would expand to " + (long) bytes / 1_000_000 + " MB");
        }
    }

    /// The chunks of the given types, in file order.
    static List<Chunk> readChunks(Path file, Set<String> types) throws IOException {
        List<Chunk> found = new ArrayList<>();
        try (Cursor cursor = new Cursor(file)) {
            while (cursor.next()) {
                if (types.contains(cursor.type)) found.add(cursor.readChunk());
            }
        }
        return found;
    }

    /// A chunk with its length and checksum.
    static byte[] encodeChunk(String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 checksum = new CRC32();
        checksum.update(name);
        checksum.update(data);
        return ByteBuffer.allocate(data.length + 12)
                .putInt(data.length)
                .put(name)
                .put(data)
                .putInt((int) checksum.getValue())
                .array();
    }

    /// Iterates over the chunks up to IEND or the end of the file.
    private static final class Cursor implements AutoCloseable {
        private final DataInputStream in;
        private final byte[] buffer = new byte[1 << 16];
        private long remaining;
        private String type = "";
        /// Bytes left in the data of the current chunk.
        private long length;
        private boolean isConsumed = true;

        Cursor(Path file) throws IOException {
            in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)));
            remaining = Files.size(file) - SIGNATURE.length;
            if (Arrays.equals(in.readNBytes(SIGNATURE.length), SIGNATURE)) return;
            in.close();
            throw new IOException("not a PNG file");
        }

        boolean next() throws IOException {
            if (!isConsumed) {
                long rest = Math.min(length + 4, remaining);
                in.skipNBytes(rest);
                remaining -= rest;
            }
            if (type.equals("IEND") || remaining < 8) return false;
            length = in.readInt();
            type = new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
            remaining -= 8;
            isConsumed = false;
            if (length < 0) throw new IOException("the length of a chunk is beyond the PNG limit");
            return true;
        }

        Chunk readChunk() throws IOException {
            if (length > MAX_CHUNK_BYTES)
                return new Chunk(type, new byte[0],
                        Optional.of("a " + type + " chunk is longer than " + (MAX_CHUNK_BYTES >> 20) + " MB"));
            ByteArrayOutputStream data = new ByteArrayOutputStream();
            Optional<String> problem = verifyChecksum(data);
            return new Chunk(type, problem.isPresent() ? new byte[0] : data.toByteArray(), problem);
        }

        Optional<String> verifyChecksum() throws IOException {
            return verifyChecksum(null);
        }

        private Optional<String> verifyChecksum(@Nullable ByteArrayOutputStream copy) throws IOException {
            if (length + 4 > remaining) return Optional.of("the file ends within a " + type + " chunk");
            CRC32 checksum = new CRC32();
            checksum.update(type.getBytes(StandardCharsets.ISO_8859_1));
            remaining -= length + 4;
            while (length > 0) {
                int read = in.readNBytes(buffer, 0, (int) Math.min(buffer.length, length));
                if (read == 0) throw new IOException("the file was truncated while it was read");
                checksum.update(buffer, 0, read);
                if (copy != null) copy.write(buffer, 0, read);
                length -= read;
            }
            isConsumed = true;
            return in.readInt() == (int) checksum.getValue() ? Optional.empty()
                    : Optional.of("the checksum of a " + type + " chunk does not match its data");
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }

    /// Index of the first zero byte; the length of the data if there is none.
    static int indexOfZero(byte[] data, int from) {
        int at = from;
        while (at < data.length && data[at] != 0) at++;
        return at;
    }

    /// Decompresses zlib data.
    /// @param maxBytes limit on the result, so that a small file cannot fill the memory
    static byte[] inflate(byte[] data, int from, int maxBytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (InflaterInputStream in = new InflaterInputStream(
                new ByteArrayInputStream(data, from, data.length - from))) {
            byte[] buffer = new byte[8192];
            for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                out.write(buffer, 0, n);
                if (out.size() > maxBytes)
                    throw new IOException("its decompressed size exceeds " + maxBytes + " bytes");
            }
        }
        return out.toByteArray();
    }
}
