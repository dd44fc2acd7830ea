package atomstudio.app.provider;

import atomstudio.app.provider.Platform.Architecture;
import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/// A shared library by its header and symbol table; it is not loaded.
/// @param architectures several in a universal library of macOS
/// @param exports names of the functions and objects that it defines for others
record SharedLibrary(Platform.System system, Set<Architecture> architectures, Set<String> exports) {
    boolean runsOn(Platform platform) {
        return system == platform.system() && architectures.contains(platform.architecture());
    }

    /// `Windows x86_64`.
    String describePlatform() {
        return architectures.isEmpty() ? system + " on another processor"
                : String.join(", ", architectures.stream().map(each -> new Platform(system, each).toString()).toList());
    }

    /// Empty if the file is no shared library of a 64-bit system that is known here.
    /// @throws Failure.Unreadable if the file is truncated or damaged
    static Optional<SharedLibrary> read(Path file) throws Failure {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ); Arena arena = Arena.ofConfined()) {
            if (channel.size() < Integer.BYTES * 16) return Optional.empty();
            Bytes bytes = new Bytes(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena), 0);
            return switch ((int) bytes.u32(0)) {
                case Elf.MAGIC -> Elf.read(bytes);
                case MachO.MAGIC, MachO.UNIVERSAL_MAGIC -> Optional.of(MachO.read(bytes));
                default -> (bytes.u16(0) == Pe.DOS_MAGIC) ? Pe.read(bytes) : Optional.empty();
            };
        } catch (IndexOutOfBoundsException e) {
            throw new Failure.Unreadable(file + ": this library is truncated or damaged; download or copy it again", e);
        } catch (IOException e) {
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /// Little-endian access from an offset on.
    private record Bytes(MemorySegment file, long start) {
        private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
                .withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
        private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED
                .withOrder(ByteOrder.LITTLE_ENDIAN);

        int u8(long offset) {
            return Byte.toUnsignedInt(file.get(ValueLayout.JAVA_BYTE, start + offset));
        }

        int u16(long offset) {
            return Short.toUnsignedInt(file.get(SHORT, start + offset));
        }

        long u32(long offset) {
            return Integer.toUnsignedLong(file.get(INT, start + offset));
        }

        /// Of a big-endian header.
        long u32Reversed(long offset) {
            return Integer.toUnsignedLong(Integer.reverseBytes(file.get(INT, start + offset)));
        }

        long i64(long offset) {
            return file.get(LONG, start + offset);
        }

        String string(long offset) {
            return file.getString(start + offset);
        }

        Bytes at(long offset) {
            return new Bytes(file, start + offset);
        }
    }

    /// Linux. Source: System V ABI, chapters "Object Files" and "Sections".
    private static final class Elf {
        static final int MAGIC = 0x464c457f;
        private static final int SHARED_OBJECT = 3;
        private static final int DYNAMIC_SYMBOLS = 11;
        private static final int SYMBOL_BYTES = 24;

        static Optional<SharedLibrary> read(Bytes file) {
            boolean isLittleEndian64 = file.u8(4) == 2 && file.u8(5) == 1;
            if (!isLittleEndian64 || file.u16(16) != SHARED_OBJECT) return Optional.empty();
            Set<Architecture> architectures = switch (file.u16(18)) {
                case 62 -> Set.of(Architecture.X86_64);
                case 183 -> Set.of(Architecture.ARM64);
                default -> Set.of();
            };
            Set<String> exports = new HashSet<>();
            long sections = file.i64(40);
            int sectionBytes = file.u16(58);
            for (int i = 0; i < file.u16(60); i++) {
                Bytes section = file.at(sections + (long) i * sectionBytes);
                if (section.u32(4) != DYNAMIC_SYMBOLS) continue;
                Bytes strings = file.at(file.i64(sections + section.u32(40) * sectionBytes + 24));
                for (long at = 0; at + SYMBOL_BYTES <= section.i64(32); at += SYMBOL_BYTES) {
                    Bytes symbol = file.at(section.i64(24) + at);
                    boolean isDefined = symbol.u16(6) != 0;
                    if (isDefined) exports.add(strings.string(symbol.u32(0)));
                }
            }
            return Optional.of(new SharedLibrary(Platform.System.LINUX, architectures, exports));
        }
    }

    /// Windows. Source: Microsoft, PE Format.
    private static final class Pe {
        static final int DOS_MAGIC = 0x5a4d;
        private static final long MAGIC = 0x4550;
        private static final int PE32_PLUS = 0x20b;
        private static final int SECTION_BYTES = 40;

        static Optional<SharedLibrary> read(Bytes file) {
            Bytes header = file.at(file.u32(0x3c));
            Bytes optional = header.at(24);
            if (header.u32(0) != MAGIC || optional.u16(0) != PE32_PLUS) return Optional.empty();
            Set<Architecture> architectures = switch (header.u16(4)) {
                case 0x8664 -> Set.of(Architecture.X86_64);
                case 0xaa64 -> Set.of(Architecture.ARM64);
                default -> Set.of();
            };
            Set<String> exports = new HashSet<>();
            Bytes sections = optional.at(header.u16(20));
            int count = header.u16(6);
            long directory = optional.u32(112);
            if (directory != 0) {
                Bytes table = file.at(offset(directory, sections, count));
                Bytes names = file.at(offset(table.u32(32), sections, count));
                for (long i = 0; i < table.u32(24); i++)
                    exports.add(file.string(offset(names.u32(Integer.BYTES * i), sections, count)));
            }
            return Optional.of(new SharedLibrary(Platform.System.WINDOWS, architectures, exports));
        }

        /// Where an address of the loaded library lies in the file.
        private static long offset(long address, Bytes sections, int count) {
            for (int i = 0; i < count; i++) {
                Bytes section = sections.at((long) i * SECTION_BYTES);
                long inside = address - section.u32(12);
                if (inside >= 0 && inside < section.u32(16)) return section.u32(20) + inside;
            }
            throw new IndexOutOfBoundsException("address " + address + " is in no section");
        }
    }

    /// macOS. Source: Apple, mach-o/loader.h, nlist.h and fat.h.
    private static final class MachO {
        static final int MAGIC = 0xfeedfacf;
        /// Big-endian.
        static final int UNIVERSAL_MAGIC = 0xbebafeca;
        private static final int SYMBOL_TABLE = 2;
        private static final int SYMBOL_BYTES = 16;
        private static final int DEFINED = 0x0e;
        private static final int EXTERNAL = 0x01;

        static SharedLibrary read(Bytes file) {
            SharedLibrary library = new SharedLibrary(Platform.System.MAC, new HashSet<>(), new HashSet<>());
            if ((int) file.u32(0) == MAGIC) add(file, library);
            else
                for (long i = 0; i < file.u32Reversed(4); i++) add(file.at(file.u32Reversed(8 + 20 * i + 8)), library);
            return library;
        }

        private static void add(Bytes image, SharedLibrary library) {
            switch ((int) image.u32(4)) {
                case 0x01000007 -> library.architectures.add(Architecture.X86_64);
                case 0x0100000c -> library.architectures.add(Architecture.ARM64);
                default -> {}
            }
            long at = 32;
            for (long command = 0; command < image.u32(16); command++, at += Math.max(8, image.u32(at + 4)))
                if (image.u32(at) == SYMBOL_TABLE) addSymbols(image, image.at(at), library);
        }

        private static void addSymbols(Bytes image, Bytes table, SharedLibrary library) {
            for (long i = 0; i < table.u32(12); i++) {
                Bytes symbol = image.at(table.u32(8) + SYMBOL_BYTES * i);
                boolean isExported = (symbol.u8(4) & DEFINED) == DEFINED && (symbol.u8(4) & EXTERNAL) != 0;
                if (isExported) library.exports.add(image.string(table.u32(16) + symbol.u32(0)).replaceFirst("^_", ""));
            }
        }
    }
}
