package atomstudio.tuning.torch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// A TorchScript archive of one function, written as text: the way to operations of PyTorch that DJL does not wrap.
/// The archive is a zip of a format version, two pickles (no constants; a module with the attribute `training`) and the code.
final class TorchScript {
    private static final byte[] CONSTANTS = {(byte) 0x80, 2, ')', '.'};

    private TorchScript() {}

    /// @param arguments names of the tensors that the function takes
    /// @param body      statements, the last one a return of a tensor
    static byte[] archive(String[] arguments, String... body) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
            entry(zip, "ops/version", "3\n".getBytes(StandardCharsets.US_ASCII));
            entry(zip, "ops/constants.pkl", CONSTANTS);
            entry(zip, "ops/data.pkl", module());
            entry(zip, "ops/code/__torch__.py", code(arguments, body).getBytes(StandardCharsets.US_ASCII));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static String code(String[] arguments, String[] body) {
        StringBuilder code = new StringBuilder("class Ops(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n  def forward(self: __torch__.Ops");
        for (String argument : arguments) code.append(", ").append(argument).append(": Tensor");
        code.append(") -> Tensor:\n");
        for (String line : body) code.append("    ").append(line).append('\n');
        return code.toString();
    }

    /// Pickle protocol 2: an instance of `__torch__.Ops` whose state is {"training": True}.
    private static byte[] module() {
        byte[] name = "training".getBytes(StandardCharsets.US_ASCII);
        ByteBuffer pickle = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        pickle.put(new byte[] {(byte) 0x80, 2}).put("c__torch__\nOps\n)".getBytes(StandardCharsets.US_ASCII)).put((byte) 0x81);
        pickle.put("}(X".getBytes(StandardCharsets.US_ASCII)).putInt(name.length).put(name);
        pickle.put(new byte[] {(byte) 0x88, 'u', 'b', '.'});
        return java.util.Arrays.copyOf(pickle.array(), pickle.position());
    }

    private static void entry(ZipOutputStream zip, String name, byte[] content) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        zip.write(content);
        zip.closeEntry();
    }
}
