package atomstudio.diffusion.picture;

import java.awt.color.ICC_Profile;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.InflaterInputStream;

/// The chunks of PNG files: length, type, data, checksum. Source: W3C, Portable Network Graphics (Third Edition), 5 and 11.3.
final class PngChunks {
    static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    /// Longest chunk of text or profile that is looked at; longer ones are passed over.
    private static final int LONGEST = 16 << 20;

    private PngChunks() {}

    @FunctionalInterface
    private interface Visitor {
        void chunk(String type, byte[] data) throws IOException;
    }

    /// The texts of tEXt, zTXt and iTXt chunks by keyword, in the file's order.
    static Map<String, String> texts(Path file) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        visit(file, (type, data) -> {
            switch (type) {
                case "tEXt" -> {
                    int end = zero(data, 0);
                    texts.put(latin1(data, 0, end), latin1(data, end + 1, data.length));
                }
                case "zTXt" -> {
                    int end = zero(data, 0);
                    texts.put(latin1(data, 0, end), new String(inflate(data, end + 2), StandardCharsets.ISO_8859_1));
                }
                case "iTXt" -> {
                    int end = zero(data, 0);
                    int text = zero(data, zero(data, end + 3) + 1) + 1;
                    byte[] bytes = data[end + 1] == 1 ? inflate(data, text) : Arrays.copyOfRange(data, text, data.length);
                    texts.put(latin1(data, 0, end), new String(bytes, StandardCharsets.UTF_8));
                }
                default -> { }
            }
        });
        return texts;
    }

    /// The colour profile in the file; none where there is none or Java cannot use it.
    static Optional<ICC_Profile> profile(Path file) throws IOException {
        ICC_Profile[] found = new ICC_Profile[1];
        visit(file, (type, data) -> {
            if (type.equals("iCCP")) {
                try {
                    found[0] = ICC_Profile.getInstance(inflate(data, zero(data, 0) + 2));
                } catch (IllegalArgumentException | IOException unusable) {
                    found[0] = null;
                }
            }
        });
        return Optional.ofNullable(found[0]);
    }

    /// The private chunks of a type, whole, in the file's order.
    static List<byte[]> chunks(Path file, String wanted) throws IOException {
        List<byte[]> found = new ArrayList<>();
        visit(file, (type, data) -> {
            if (type.equals(wanted)) found.add(data);
        });
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

    private static void visit(Path file, Visitor visitor) throws IOException {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
            if (!Arrays.equals(in.readNBytes(SIGNATURE.length), SIGNATURE)) throw new IOException("not a PNG file");
            String type = "";
            while (!type.equals("IEND")) {
                int length = in.readInt();
                if (length < 0) throw new IOException("a chunk claims to be longer than a PNG file allows");
                type = new String(in.readNBytes(4), StandardCharsets.ISO_8859_1);
                boolean wanted = length <= LONGEST && (type.endsWith("Xt") || type.equals("iCCP") || type.equals(PngAttachment.TYPE));
                if (wanted) visitor.chunk(type, in.readNBytes(length));
                else in.skipNBytes(length);
                in.readInt();
            }
        } catch (EOFException cut) {
            throw new IOException("the file ends before its last chunk", cut);
        } catch (ArrayIndexOutOfBoundsException malformed) {
            throw new IOException("a text chunk is malformed", malformed);
        }
    }

    private static int zero(byte[] data, int from) {
        int at = from;
        while (data[at] != 0) at++;
        return at;
    }

    private static String latin1(byte[] data, int from, int to) {
        return new String(data, from, to - from, StandardCharsets.ISO_8859_1);
    }

    private static byte[] inflate(byte[] data, int from) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (InflaterInputStream in = new InflaterInputStream(new ByteArrayInputStream(data, from, data.length - from))) {
            byte[] part = new byte[8192];
            for (int n = in.read(part); n >= 0; n = in.read(part)) {
                out.write(part, 0, n);
                if (out.size() > LONGEST) throw new IOException("a compressed chunk is longer than " + LONGEST + " bytes");
            }
        }
        return out.toByteArray();
    }
}
