package atomstudio.diffusion.tensor;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Shared;
import atomstudio.diffusion.tensor.TorchArchives.Pickle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileTest {
    private static final float[] VALUES = {1, 2, 3, 4, 5, 6};

    @TempDir
    Path folder;

    @ParameterizedTest @ValueSource(strings = {"sd1.ckpt", "inpaint.ckpt"})
    void tensorsOfCheckpointsByPyTorchAreMapped(String name) throws Exception {
        String net = name.substring(0, name.indexOf('.'));
        try (TensorFile file = TensorFile.open(Shared.own("goldens/files/" + name));
                SafetensorsFile unet = SafetensorsFile
                        .open(Shared.own("goldens/nets/" + net + "/model/unet/diffusion_pytorch_model.safetensors"))) {
            TensorInfo info = file.info("model.diffusion_model.input_blocks.0.0.weight");
            assertEquals(unet.read("conv_in.weight"), file.read(info));
            byte[] fileBytes = new byte[(int) info.byteLength()];
            try (var channel = Files.newByteChannel(file.file())) {
                channel.position(info.offset()).read(ByteBuffer.wrap(fileBytes));
            }
            assertEquals(unet.bytes("conv_in.weight").mismatch(java.lang.foreign.MemorySegment.ofArray(fileBytes)), -1,
                    "info.offset() is a file offset");
            assertEquals("470000", file.metadata().get("global_step"));
            assertEquals(1000, file.info("alphas_cumprod").shape().elements());
        }
    }

    @Test
    void nestedDictionariesAreFlattenedToDottedNames() throws Exception {
        Pickle pickle = new Pickle().raw('}', '(')
                .text("string_to_param")
                .raw('}', '(')
                .text("*")
                .tensor("0", 6, 2, new long[] {2, 2}, new long[] {2, 1})
                .raw('u')
                .text("name")
                .text("dog")
                .text("step")
                .integer(7)
                .raw('u');
        try (TensorFile file = TensorFile.open(archive(pickle, ZipEntry.STORED))) {
            assertEquals(new Tensor(Shape.of(2, 2), new float[] {3, 4, 5, 6}), file.read("string_to_param.*"),
                    "storage offset 2");
            assertEquals(Map.of("name", "dog", "step", "7"), file.metadata());
        }
    }

    @Test
    void findsStateDictUnderKeysOfTrainingPrograms() throws Exception {
        for (String key : List.of("state_dict", "model", "params_ema", "module")) {
            Pickle pickle = new Pickle().raw('}', '(')
                    .text("epoch")
                    .integer(3)
                    .text(key)
                    .raw('}', '(')
                    .text("w")
                    .tensor("0", 6, 0, new long[] {6}, new long[] {1})
                    .raw('u', 'u');
            try (TensorFile file = TensorFile.open(archive(pickle, ZipEntry.STORED))) {
                assertEquals(Set.of("w"), file.tensors().keySet(), key);
                assertEquals("3", file.metadata().get("epoch"));
            }
        }
    }

    @Test
    void rejectsPicklesThatCallFunctionsWithoutRunningThem() throws Exception {
        Path witness = folder.resolve("ran");
        Pickle system = new Pickle().global("posix", "system").raw('(').text("touch " + witness).raw('t', 'R');
        assertRejected("refers to posix.system", archive(system, ZipEntry.STORED));
        Pickle byName = new Pickle().text("os").text("system").raw(0x93, '(').text("touch " + witness).raw('t', 'R');
        assertRejected("refers to os.system", archive(byName, ZipEntry.STORED));
        Pickle evaluated = new Pickle().raw('}', '(')
                .text("state_dict")
                .global("builtins", "eval")
                .raw('(')
                .text("1")
                .raw('t', 'R', 'u');
        assertRejected("refers to builtins.eval", archive(evaluated, ZipEntry.STORED));
        Pickle attribute = new Pickle().global("__builtin__", "getattr").raw('.');
        Path bare = Files.write(folder.resolve("bare.ckpt"), attribute.bytes());
        assertRejected("refers to __builtin__.getattr", bare);
        Pickle instance = new Pickle().raw('(').text("touch").raw('i');
        assertRejected("has the opcode 0x69", archive(instance, ZipEntry.STORED));
        assertFalse(Files.exists(witness));
    }

    @Test
    void ignoresTrainingObjectsNextToTensors() throws Exception {
        Pickle pickle = new Pickle().raw('}', '(')
                .text("callbacks")
                .raw('}')
                .global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint")
                .raw('}', 's')
                .text("score")
                .global("numpy.core.multiarray", "scalar")
                .raw('(')
                .text("x")
                .raw('t', 'R')
                .text("state_dict")
                .raw('}')
                .text("w")
                .tensor("0", 6, 0, new long[] {6}, new long[] {1})
                .raw('s', 'u');
        try (TensorFile file = TensorFile.open(archive(pickle, ZipEntry.STORED))) {
            assertEquals(1, file.tensors().size());
            assertEquals(new Tensor(Shape.of(6), VALUES), file.read("w"));
        }
    }

    /// Python writes every key once; `a.b` may also be the key `b` of a dictionary `a`.
    @Test
    void rejectsTensorsOfOneName() throws Exception {
        Pickle twice = new Pickle().raw('}', '(');
        for (int i = 0; i < 2; i++) twice.text("w").tensor("0", 6, 0, new long[] {6}, new long[] {1});
        assertRejected("w is in its pickle twice", archive(twice.raw('u'), ZipEntry.STORED));
        Pickle nested = new Pickle().raw('}', '(')
                .text("a.b")
                .tensor("0", 6, 0, new long[] {6}, new long[] {1})
                .text("a")
                .raw('}')
                .text("b")
                .tensor("0", 6, 0, new long[] {6}, new long[] {1})
                .raw('s', 'u');
        assertRejected("a.b is in its pickle twice", archive(nested, ZipEntry.STORED));
    }

    @Test
    void rejectsTensorsOutsideTheirStorage() throws Exception {
        assertRejected("exceeds its storage of 6",
                archive(singleTensor(6, 5, new long[] {2}, new long[] {1}), ZipEntry.STORED));
        assertRejected("exceeds its storage of 6",
                archive(singleTensor(6, 1, new long[] {2, 3}, new long[] {1, 2}), ZipEntry.STORED));
        assertRejected("is an expanded view",
                archive(singleTensor(6, 0, new long[] {1_000_000, 6}, new long[] {0, 1}), ZipEntry.STORED));
        assertRejected("needs 400 bytes",
                archive(singleTensor(100, 0, new long[] {100}, new long[] {1}), ZipEntry.STORED));
        assertRejected("invalid size or stride",
                archive(singleTensor(6, 0, new long[] {-2, -3}, new long[] {-3, 1}), ZipEntry.STORED));
        Pickle missing = new Pickle().raw('}').text("w").tensor("9", 6, 0, new long[] {6}, new long[] {1}).raw('s');
        assertRejected("its data (storage 9) is missing", archive(missing, ZipEntry.STORED));
        long huge = Integer.MAX_VALUE;
        assertRejected("damaged",
                archive(singleTensor(6, 0, new long[] {huge, huge, huge, huge}, new long[] {1, 1, 1, 1}),
                        ZipEntry.STORED));
    }

    @Test
    void nonContiguousTensorsAreReadInRowMajorOrder() throws Exception {
        try (TensorFile file = TensorFile
                .open(archive(singleTensor(6, 0, new long[] {3, 2}, new long[] {1, 3}), ZipEntry.STORED))) {
            assertEquals(new Tensor(Shape.of(3, 2), new float[] {1, 4, 2, 5, 3, 6}), file.read("w"));
            assertFalse(file.isContiguous(file.info("w")));
        }
        try (TensorFile file = TensorFile
                .open(archive(singleTensor(6, 1, new long[] {2, 2}, new long[] {2, 0}), ZipEntry.STORED))) {
            assertEquals(new Tensor(Shape.of(2, 2), new float[] {2, 2, 4, 4}), file.read("w"),
                    "an expanded view");
        }
    }

    @Test
    void rejectsStackUnderflow() throws Exception {
        for (int[] codes : new int[][] {{'q', 0}, {0x94}, {'2'}, {'r', 0, 0, 0, 0}, {'b'}, {'N', '(', 'q', 0},
                {'N', '(', '2'}, {'Q'}, {'a'}, {'N', 'a'}, {'u'}, {'t'}, {'e'}, {'s'}, {'R'}, {0x93}, {0x85}}) {
            assertRejected("pickle", archive(new Pickle().raw(codes), ZipEntry.STORED));
        }
    }

    @Test
    void damagedPicklesFailFast() {
        assertRejected("pickle is damaged", Shared.file("cases/faults/memo-empty-stack.pt"));
        Path collisions = Shared.file("cases/faults/collide-text.pt");
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> {
            try (TensorFile file = TensorFile.open(collisions)) {
                assertTrue(file.tensors().isEmpty(), "colliding keys, no tensor");
            }
        });
        Path strided = Shared.file("cases/checkpoint-strided/strided.pt");
        assertDoesNotThrow(() -> {
            try (TensorFile file = TensorFile.open(strided)) {
                for (TensorInfo info : file.tensors().values()) file.read(info);
            }
        });
    }

    /// Colliding keys, one long list passed to many calls, long keys, tensors with many axes.
    @Test
    void adversarialPicklesFailFast() throws Exception {
        Pickle colliding = new Pickle().raw('}', '(');
        for (int i = 0; i < 1 << 16; i++) {
            StringBuilder key = new StringBuilder();
            for (int bit = 0; bit < 16; bit++) key.append((i >> bit & 1) == 0 ? "Aa" : "BB");
            colliding.text(key.toString()).raw('N');
        }
        Path collisions = archive(colliding.raw('u'), ZipEntry.STORED);
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> TensorFile.open(collisions).close());
        Pickle calls = new Pickle().raw(']', '(');
        for (int i = 0; i < 100_000; i++) calls.raw('K', 1, 'K', 2, 0x86);
        calls.raw('e', 0x85, 'q', 0, '0').global("collections", "OrderedDict").raw('q', 1, '0');
        for (int i = 0; i < 100_000; i++) calls.raw('h', 1, 'h', 0, 'R', '0');
        Path called = archive(calls, ZipEntry.STORED);
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> assertRejected("more arguments", called));
        Pickle keys = new Pickle().text("x".repeat(1 << 20))
                .raw('q', 0, '0')
                .text("x".repeat(1 << 20))
                .raw('q', 1, '0', '}', '(');
        for (int i = 0; i < 200_000; i++) keys.raw('h', i & 1, 'N');
        Path longKeys = archive(keys.raw('u'), ZipEntry.STORED);
        assertTimeoutPreemptively(Duration.ofSeconds(10),
                () -> assertRejected("longer than any tensor's name", longKeys));
        Pickle axes = new Pickle().raw('(');
        for (int i = 0; i < 100_000; i++) axes.raw('K', 1);
        axes.raw('t', 'q', 0, '0')
                .global("torch._utils", "_rebuild_tensor_v2")
                .raw('q', 1, '0', '(')
                .text("storage")
                .global("torch", "FloatStorage")
                .text("0")
                .text("cpu")
                .integer(6)
                .raw('t', 'Q', 'q', 2, '0');
        for (int i = 0; i < 100_000; i++) axes.raw('h', 1, '(', 'h', 2, 'K', 0, 'h', 0, 'h', 0, 't', 'R', '0');
        Path axed = archive(axes, ZipEntry.STORED);
        assertTimeoutPreemptively(Duration.ofSeconds(10),
                () -> assertRejected("expected storage, offset, sizes and strides", axed));
    }

    @Test
    void legacyModulePersistentIdsAreIgnored() throws Exception {
        try (TensorFile older = TensorFile.open(Shared.file("cases/embedding-old-pickle-of-parameters/pd_old.pt"));
                TensorFile newer = TensorFile.open(Shared.file("cases/embedding-old-pickle-of-parameters/pd_zip.pt"))) {
            assertFalse(newer.tensors().isEmpty());
            assertEquals(newer.tensors().keySet(), older.tensors().keySet());
            for (String name : newer.tensors().keySet()) assertEquals(newer.read(name), older.read(name));
        }
    }

    @Test
    void rejectsCompressedEntriesAndOtherArchives() throws Exception {
        assertRejected("is compressed", archive(singleTensor(6, 0, new long[] {6}, new long[] {1}), ZipEntry.DEFLATED));
        Path other = folder.resolve("other.zip");
        TorchArchives.archive(other, Map.of("readme.txt", new byte[] {1}), ZipEntry.STORED);
        assertRejected("ZIP archive without data.pkl", other);
    }

    @Test
    void rejectsTruncatedFilesAndWrongOffsets() throws Exception {
        Path file = archive(singleTensor(6, 0, new long[] {6}, new long[] {1}), ZipEntry.STORED);
        byte[] bytes = Files.readAllBytes(file);
        for (int length = 0; length < bytes.length; length += 7) {
            assertThrows(Failure.class, () -> TensorFile.open(file).close(),
                    "truncated: " + Files.write(file, Arrays.copyOf(bytes, length)));
        }
        for (int end = bytes.length - 22; end > 0; end--) { // sets a wrong offset of the central directory
            if (bytes[end] != 'P' || bytes[end + 2] != 5) continue;
            byte[] damaged = bytes.clone();
            ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putInt(end + 16, 0x7FFFFFF0);
            Files.write(file, damaged);
            assertRejected("points outside the file", file);
        }
    }

    @Test
    void randomDamageGivesFailureOrReadableTensors() throws Exception {
        Path file = archive(singleTensor(6, 0, new long[] {6}, new long[] {1}), ZipEntry.STORED);
        byte[] bytes = Files.readAllBytes(file);
        Random random = new Random(1);
        int rejected = 0;
        for (int trial = 0; trial < 1500; trial++) {
            byte[] changed = bytes.clone();
            for (int k = 0; k <= trial % 3; k++) changed[random.nextInt(changed.length)] = (byte) random.nextInt();
            Files.write(file, changed);
            try (TensorFile opened = TensorFile.open(file)) {
                for (TensorInfo info : opened.tensors().values()) opened.read(info);
            } catch (Failure expected) {
                rejected++;
            }
        }
        assertTrue(rejected > 100, "rejected " + rejected);
    }

    @Test
    void boundsDeepAndRecursiveStructures() throws Exception {
        Pickle deep = new Pickle();
        for (int i = 0; i < 300_000; i++) deep.raw(')', 0x85);
        assertRejected("expected a dictionary of tensors", archive(deep, ZipEntry.STORED));
        Pickle recursive = new Pickle().raw('}', 'q', 0, 'h', 0).raw('0').text("self").raw('h', 0, 's');
        try (TensorFile file = TensorFile.open(archive(recursive, ZipEntry.STORED))) {
            assertEquals(Map.of(), file.tensors(), "a dictionary that contains itself has no tensors");
        }
        Pickle many = new Pickle().raw('}', 'q', 0); // six levels, each containing the singleTensor below 100 times
        for (int level = 1; level < 7; level++) {
            many.raw('}', '(');
            for (int i = 0; i < 100; i++) many.text("k" + i).raw('h', level - 1);
            many.raw('u', 'q', level);
        }
        assertRejected("more than 200000 entries", archive(many, ZipEntry.STORED));
        Pickle marks = new Pickle();
        for (int i = 0; i < 1_100_000; i++) marks.raw('(');
        assertRejected("larger than any model file needs", archive(marks, ZipEntry.STORED));
        Pickle memo = new Pickle().raw('N');
        for (int i = 0; i < 1_100_000; i++) memo.raw(0x94);
        assertRejected("larger than any model file needs", archive(memo, ZipEntry.STORED));
        Pickle text = new Pickle().raw(0x8d, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F);
        assertRejected("larger than any model file needs", archive(text, ZipEntry.STORED));
    }

    @Test
    void messagesNameOtherFileFormats() throws Exception {
        assertRejected("GGUF", Files.writeString(folder.resolve("a.gguf"), "GGUF and more"));
        assertRejected("Git LFS pointer",
                Files.writeString(folder.resolve("b.ckpt"), "version https://git-lfs.github.com/spec/v1"));
        assertRejected("web page", Files.writeString(folder.resolve("c.safetensors"), "<!DOCTYPE html><html>"));
    }

    private static Pickle singleTensor(long elements, long storageOffset, long[] shape, long[] strides) {
        return new Pickle().raw('}').text("w").tensor("0", elements, storageOffset, shape, strides).raw('s');
    }

    private Path archive(Pickle pickle, int method) {
        ByteBuffer data = ByteBuffer.allocate(4 * VALUES.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : VALUES) data.putFloat(value);
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("archive/data.pkl", pickle.bytes());
        entries.put("archive/byteorder", "little".getBytes());
        entries.put("archive/data/0", data.array());
        Path file = folder.resolve("test.ckpt");
        TorchArchives.archive(file, entries, method);
        return file;
    }

    private static void assertRejected(String part, Path file) {
        Failure failure = assertThrows(Failure.class, () -> TensorFile.open(file).close());
        assertTrue(failure.getMessage().contains(part), failure.getMessage());
        assertTrue(failure.getMessage().startsWith(file.toString()), failure.getMessage());
    }
}
