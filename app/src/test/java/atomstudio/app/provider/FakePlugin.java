package atomstudio.app.provider;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/// Packages with libraries that have an execution provider's symbols, but no code.
final class FakePlugin {
    static final int X86_64 = 62;
    static final int ARM64 = 183;
    private static final int SYMBOL_BYTES = 24;
    private static final int SECTION_BYTES = 64;

    private final Map<String, byte[]> files = new LinkedHashMap<>();

    static int thisMachine() {
        return Platform.current().orElseThrow().architecture() == Platform.Architecture.ARM64 ? ARM64 : X86_64;
    }

    static int otherMachine() {
        return thisMachine() == ARM64 ? X86_64 : ARM64;
    }

    /// A wheel for this machine.
    static FakePlugin wheel() {
        return new FakePlugin().with("onnxruntime_ep_fake/libonnxruntime_providers_fake.so", library(thisMachine()))
                .withMetadata("manylinux_2_28_" + (thisMachine() == ARM64 ? "aarch64" : "x86_64"), "");
    }

    FakePlugin with(String name, byte[] content) {
        files.put(name, content);
        return this;
    }

    FakePlugin without(String name) {
        files.remove(name);
        return this;
    }

    /// @param header further lines of the metadata
    FakePlugin withMetadata(String platform, String header) {
        with("onnxruntime_ep_fake-1.2.dist-info/METADATA",
                text("Metadata-Version: 2.4\nName: onnxruntime-ep-fake\nVersion: 1.2\n" + header + "\nA description"));
        return with("onnxruntime_ep_fake-1.2.dist-info/WHEEL", text("Wheel-Version: 1.0\nTag: py3-none-" + platform));
    }

    static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    Path writeZip(Path file) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
            for (Map.Entry<String, byte[]> entry : files.entrySet()) {
                zip.putNextEntry(new ZipEntry(entry.getKey()));
                zip.write(entry.getValue());
                zip.closeEntry();
            }
        }
        return file;
    }

    Path writeFolder(Path folder) throws IOException {
        for (Map.Entry<String, byte[]> entry : files.entrySet()) {
            Files.createDirectories(folder.resolve(entry.getKey()).getParent());
            Files.write(folder.resolve(entry.getKey()), entry.getValue());
        }
        return folder;
    }

    static byte[] library(int machine) {
        return library(machine, List.of("CreateEpFactories", "ReleaseEpFactory"));
    }

    /// An ELF shared object with a section table, a dynamic symbol table and its strings.
    static byte[] library(int machine, List<String> exports) {
        ByteArrayOutputStream strings = new ByteArrayOutputStream();
        strings.write(0);
        ByteBuffer symbols = little(SYMBOL_BYTES * (exports.size() + 1));
        for (int i = 0; i < exports.size(); i++) {
            symbols.putInt(SYMBOL_BYTES * (i + 1), strings.size());
            symbols.putShort(SYMBOL_BYTES * (i + 1) + 6, (short) 1);
            strings.writeBytes(text(exports.get(i) + "\0"));
        }
        int symbolsAt = 64, stringsAt = symbolsAt + symbols.capacity(), sectionsAt = stringsAt + strings.size();
        ByteBuffer elf = little(sectionsAt + 3 * SECTION_BYTES);
        elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).putShort(16, (short) 3).putShort(18, (short) machine);
        elf.putLong(40, sectionsAt).putShort(58, (short) SECTION_BYTES).putShort(60, (short) 3);
        elf.put(symbolsAt, symbols.array()).put(stringsAt, strings.toByteArray());
        int dynamic = sectionsAt + SECTION_BYTES;
        elf.putInt(dynamic + 4, 11).putLong(dynamic + 24, symbolsAt).putLong(dynamic + 32, symbols.capacity());
        elf.putInt(dynamic + 40, 2);
        elf.putInt(dynamic + SECTION_BYTES + 4, 3).putLong(dynamic + SECTION_BYTES + 24, stringsAt);
        return elf.array();
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
