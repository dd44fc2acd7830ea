package atomstudio.diffusion.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.file.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SafetensorsFileTest {
    @TempDir
    Path folder;

    @Test
    void writtenTensorsReadBackUnchanged() throws Exception {
        Path file = folder.resolve("a.safetensors");
        Tensor matrix = new Tensor(Shape.of(2, 3), new float[] {1, -2, 3.5f, Float.MIN_VALUE, 0, 1e30f});
        Tensor scalar = new Tensor(Shape.of(), new float[] {7});
        SafetensorsWriter.write(file, Map.of("z", matrix, "a", scalar), Map.of("made", "by \"us\""));
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertEquals(List.of("a", "z"), List.copyOf(read.tensors().keySet()));
            assertEquals(matrix, read.read("z"));
            assertEquals(scalar, read.read("a"));
            assertEquals(Map.of("made", "by \"us\""), read.metadata());
            assertEquals(28, read.payload().byteSize());
        }
    }

    @Test
    void equalTensorsAreWrittenAsEqualBytes() throws Exception {
        Tensor x = new Tensor(Shape.of(1), new float[] {1});
        SafetensorsWriter.write(folder.resolve("1"), Map.of("a", x, "b", x), Map.of("k", "v", "l", "w"));
        SafetensorsWriter.write(folder.resolve("2"), Map.of("b", x, "a", x), Map.of("l", "w", "k", "v"));
        assertArrayEquals(Files.readAllBytes(folder.resolve("1")), Files.readAllBytes(folder.resolve("2")));
    }

    @ParameterizedTest
    @CsvSource({"F16,003C00C0,1,-2", "BF16,803F00C0,1,-2", "F32,0000803F000000C0,1,-2",
            "F64,000000000000F03F00000000000000C0,1,-2", "I64,0100000000000000FEFFFFFFFFFFFFFF,1,-2",
            "I32,01000000FEFFFFFF,1,-2", "I8,01FE,1,-2", "U8,01FE,1,254", "U16,0100FEFF,1,65534",
            "U32,01000000FEFFFFFF,1,4294967294", "U64,0100000000000000FFFFFFFFFFFFFFFF,1,1.8446744E19",
            "F8_E4M3,38C0,1,-2", "F8_E4M3,017E,0.001953125,448", "F8_E5M2,3CC0,1,-2", "BOOL,0100,1,0"})
    void decodesEveryElementTypeToFloat32(String dtype, String bytes, float first, float second) throws Exception {
        byte[] payload = HexFormat.of().parseHex(bytes);
        Path file = raw(
                "{\"x\":{\"dtype\":\"" + dtype + "\",\"shape\":[2],\"data_offsets\":[0," + payload.length + "]}}",
                payload);
        try (SafetensorsFile read = SafetensorsFile.open(file)) {
            assertArrayEquals(new float[] {first, second}, read.read("x").data());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}|is truncated: x should end at byte",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}}|is negative: -4",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}|needs 8 bytes",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}"
                    + "|expected dtype, shape and data_offsets",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}|is negative: -1",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}|expected dtype, shape and data_offsets",
            "{\"x\":{\"dtype\":\"Q9\",\"shape\":[1],\"data_offsets\":[0,4]}}|element type Q9 is not supported",
            "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
                    + "\"y\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}|overlap",
            "{\"x\":7}|expected dtype, shape and data_offsets",
            "{\"x\":|not valid JSON",
            "[1]|does not start with '{'",
            "{\"__metadata__\":{\"a\":{}}}|__metadata__.a: expected a string"})
    void rejectsInconsistentHeader(String header, String expectedMessage) throws Exception {
        Path file = raw(header, new byte[4]);
        Failure.Unreadable failure = assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file));
        assertTrue(failure.getMessage().contains(expectedMessage) && failure.getMessage().startsWith(file.toString()),
                failure.getMessage());
    }

    @Test
    void rejectsHeaderLengthBeyondFileWithoutAllocating() throws Exception {
        Path file = folder.resolve("long");
        Files.write(file, ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 90_000_000).array());
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file)).getMessage()
                .contains("is truncated"));
        Files.write(file, ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(0, -1).array());
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file)).getMessage()
                .contains("is not a safetensors file"));
        Files.write(file, new byte[0]);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file)).getMessage()
                .contains("found only 0 bytes"));
    }

    @Test
    void rejectsDeeplyNestedJson() throws Exception {
        Path file = raw("{\"x\":{\"dtype\":" + "[".repeat(200_000), new byte[0]);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file)).getMessage()
                .contains("expected dtype"));
        Path unknownField = raw("{\"x\":{\"more\":" + "[".repeat(200_000), new byte[0]);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(unknownField)).getMessage()
                .contains("not valid JSON"));
    }

    private static final String ONE = "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";

    /// Headers that safetensors 0.8.0 (Rust) rejects before 4 bytes of data.
    @ParameterizedTest
    @ValueSource(strings = {"{/*x*/\"a\":ONE}", "{\"a\":ONE,}", "{'a':ONE}", "{\"a\":ONE} x", "{\"a\":ONE}\0",
            "\uFEFF{\"a\":ONE}", "{\"a\\x\":ONE}", "{\"a\u0001\":ONE}", "{\"\\ud800\":ONE}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1e0],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[01],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}",
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":null,\"data_offsets\":[0,4]}}",
            "{\"a\":null,\"b\":ONE}", "{\"a\":ONE,\"b\":ONE}",
            "{\"a\":ONE,\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[2,2]}}",
            "{\"__metadata__\":{\"a\":\"b\"},\"__metadata__\":{\"a\":\"c\"},\"a\":ONE}",
            "{\"__metadata__\":{\"a\":1},\"a\":ONE}", "{\"__metadata__\":{\"a\":null},\"a\":ONE}",
            "{\"__metadata__\":[],\"a\":ONE}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[184467440737095516150],\"data_offsets\":[0,4]}}",
            "{\"a\":{\"dtype\":\"F4\",\"shape\":[7],\"data_offsets\":[0,4]}}", "[]"})
    void rejectsHeadersThatTheReferenceRejects(String header) throws Exception {
        Path file = raw(header.replace("ONE", ONE), new byte[4]);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file)).getMessage()
                .startsWith(file + ": "));
        assertThrows(Failure.class, () -> TensorFile.open(file));
    }

    /// Headers that safetensors 0.8.0 (Rust) accepts.
    @ParameterizedTest
    @ValueSource(strings = {" \n\t\r{\"a\":ONE}", "{\"a\":ONE}   ", "{\"__metadata__\":null,\"a\":ONE}",
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":[{}]}}",
            "{\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]},\"a\":ONE}",
            "{\"z\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":ONE}"})
    void acceptsHeadersThatTheReferenceAccepts(String header) throws Exception {
        try (TensorFile file = TensorFile.open(raw(header.replace("ONE", ONE), new byte[] {0, 0, (byte) 0x80, 0x3F}))) {
            assertArrayEquals(new float[] {1}, file.read("a").data());
        }
    }

    /// Which of two counts differs between readers.
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "{\"a\":{\"dtype\":\"I32\",\"shape\":[9],\"data_offsets\":[7,7]},\"a\":ONE}|a",
            "{\"a\":ONE,\"\\u0061\":ONE}|a", "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"},\"a\":ONE}|__metadata__.k",
            "{\"__metadata__\":{},\"__metadata__\":{},\"a\":ONE}|__metadata__"})
    void rejectsDuplicateKeys(String header, String name) throws Exception {
        Path file = raw(header.replace("ONE", ONE), new byte[4]);
        String message = assertThrows(Failure.Unreadable.class, () -> TensorFile.open(file)).getMessage();
        assertTrue(message.startsWith(file + ": " + name + " is in its header twice"), message);
    }

    @Test
    void rejectsBytesThatBelongToNoTensor() throws Exception {
        Path behind = raw("{\"a\":" + ONE + "}", new byte[5]);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(behind)).getMessage()
                .contains("1 bytes after its last tensor"));
        Path hole = raw("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", new byte[12]);
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(hole)).getMessage()
                .contains("8 bytes before a"));
    }

    @ParameterizedTest @ValueSource(strings = {"trailing-garbage", "hole", "duplicate-key"})
    void rejectsDamagedFiles(String name) {
        Path file = Shared.file("cases/faults/" + name + ".safetensors");
        assertThrows(Failure.Unreadable.class, () -> TensorFile.open(file));
    }

    @Test
    void opensFilesWithUnreadableElementTypes() throws Exception {
        String header = "{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]},"
                + "\"b\":{\"dtype\":\"F4\",\"shape\":[2],\"data_offsets\":[8,9]},"
                + "\"c\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[9,10]}}";
        try (TensorFile file = TensorFile.open(raw(header, new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 7}))) {
            assertArrayEquals(new float[] {7}, file.read("c").data());
            assertThrows(IllegalArgumentException.class, () -> file.read("a"));
        }
    }

    @Test
    void messagesEscapeAndTruncateNames() throws Exception {
        Path file = raw("{\"a\\u001b[31m\u202e\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
                new byte[4]);
        String message = assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(file)).getMessage();
        assertTrue(message.contains("a\\u001b[31m\\u202e: F32"), message);
        Path longName = raw("{\"" + "n".repeat(5000) + "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
                new byte[4]);
        String cut = assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(longName)).getMessage();
        assertTrue(cut.length() < 600 && cut.contains("(5000 characters)"), cut);
    }

    @Test
    void messagesDistinguishMissingFileFromFolder() {
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(folder.resolve("no"))).getMessage()
                .contains("found nothing"));
        assertTrue(assertThrows(Failure.Unreadable.class, () -> SafetensorsFile.open(folder)).getMessage()
                .contains("found a folder"));
    }

    @Test
    void failedWriteKeepsOldFile() throws Exception {
        Path file = folder.resolve("kept");
        Files.writeString(file, "old");
        Failure.Unwritable failure = assertThrows(Failure.Unwritable.class, () -> AtomicFile.write(file, out -> {
            out.write(new byte[100_000]);
            throw new IOException("No space left on device");
        }));
        assertTrue(failure.getMessage().contains("No space left on device"), failure.getMessage());
        assertEquals("old", Files.readString(file));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    private Path raw(String header, byte[] payload) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("raw.safetensors");
        ByteBuffer all = ByteBuffer.allocate(8 + json.length + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        Files.write(file, all.putLong(json.length).put(json).put(payload).array());
        return file;
    }

    /// All 256 values of both types as decoded by PyTorch (goldens/float8/make.py).
    @ParameterizedTest @ValueSource(strings = {"e4m3fn", "e5m2"})
    void float8MatchesPyTorch(String type) throws Exception {
        try (SafetensorsFile bytes = SafetensorsFile.open(Shared.own("goldens/float8/float8.safetensors"));
                SafetensorsFile golden = SafetensorsFile
                        .open(Shared.own("goldens/float8/float8.expected.safetensors"))) {
            float[] expected = golden.read(type).data(), found = bytes.read(type).data();
            assertEquals(256, found.length);
            for (int i = 0; i < 256; i++) assertEquals(expected[i], found[i], "byte " + i);
        }
    }
}
