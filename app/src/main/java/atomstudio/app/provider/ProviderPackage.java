package atomstudio.app.provider;

import atomstudio.app.desktop.DisplayFormat;
import atomstudio.app.jobs.Cancellation;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.Sha256;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/// The files of a Python wheel, a ZIP archive or a folder. Their names and sizes are checked when it is opened, their
/// content when it is copied.
final class ProviderPackage implements AutoCloseable {
    static final long MAX_BYTES = 16L << 30;
    static final int MAX_FILES = 20_000;
    private static final int BUFFER = 1 << 16;
    private static final long UNKNOWN_CRC = -1;

    private final Path source;
    private final List<FileEntry> files;
    private final @Nullable ZipFile zip;

    private record FileEntry(String name, long bytes, long crc32, Content content) {
        private interface Content {
            InputStream open() throws IOException;
        }
    }

    private ProviderPackage(Path source, List<FileEntry> files, @Nullable ZipFile zip) throws Failure {
        this.source = source;
        this.files = List.copyOf(files);
        this.zip = zip;
        check();
    }

    /// @throws Failure.Unreadable if it is neither a ZIP archive nor a folder, or has files outside itself
    static ProviderPackage open(Path source) throws Failure {
        if (!Files.exists(source)) throw new Failure.Unreadable(source + ": no such file or folder");
        return Files.isDirectory(source) ? ofFolder(source) : ofArchive(source);
    }

    private static ProviderPackage ofArchive(Path source) throws Failure {
        try {
            ZipFile zip = new ZipFile(source.toFile());
            try {
                List<FileEntry> files = new ArrayList<>();
                for (ZipEntry entry : Collections.list(zip.entries()))
                    if (!entry.isDirectory())
                        files.add(new FileEntry(entry.getName(), entry.getSize(), entry.getCrc(),
                                () -> zip.getInputStream(entry)));
                return new ProviderPackage(source, files, zip);
            } catch (Failure e) {
                zip.close();
                throw e;
            }
        } catch (ZipException e) {
            throw new Failure.Unreadable(source + ": expected a Python wheel (.whl), a ZIP archive or a folder, found "
                    + "another or a truncated file: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new Failure.Unreadable(source + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static ProviderPackage ofFolder(Path source) throws Failure {
        List<FileEntry> files = new ArrayList<>();
        try (Stream<Path> all = Files.walk(source)) {
            Path folder = source.toRealPath();
            for (Path file : all.filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)).toList()) {
                Path target = file.toRealPath();
                if (!target.startsWith(folder) || !Files.isRegularFile(target))
                    throw new Failure.Unreadable(
                            file + ": expected a file of the folder, found a link to " + target + "; copy it there");
                files.add(new FileEntry(source.relativize(file).toString().replace('\\', '/'), Files.size(target),
                        UNKNOWN_CRC, () -> Files.newInputStream(target)));
            }
        } catch (IOException e) {
            throw new Failure.Unreadable(source + ": cannot be read: " + e.getMessage(), e);
        }
        return new ProviderPackage(source, files, null);
    }

    private void check() throws Failure {
        Set<String> names = new HashSet<>();
        for (FileEntry file : files) {
            if (!isInside(file.name))
                throw new Failure.Unreadable(source + ": unsafe file name: expected a name inside the package, found "
                        + file.name + "; nothing was unpacked");
            if (!names.add(file.name.toLowerCase(Locale.ROOT)))
                throw new Failure.Unreadable(source + ": has two files named " + file.name);
            if (file.bytes < 0)
                throw new Failure.Unreadable(source + ": the size of " + file.name + " is missing; download it again");
        }
        if (files.size() > MAX_FILES || bytes() > MAX_BYTES)
            throw new Failure.Unreadable(source + ": too large for an execution provider: expected at most " + MAX_FILES
                    + " files and " + DisplayFormat.bytes(MAX_BYTES) + ", found " + files.size() + " and "
                    + DisplayFormat.bytes(bytes()));
    }

    /// Whether a name is a relative path without `..`, on any system.
    static boolean isInside(String name) {
        return Stream.of(name.split("/", -1))
                .noneMatch(part -> part.isEmpty() || part.equals(".") || part.equals("..")
                        || part.matches(".*[\\\\:\\p{Cntrl}].*"));
    }

    long bytes() {
        long sum = 0;
        for (FileEntry file : files) sum = sum > MAX_BYTES ? sum : sum + file.bytes;
        return sum;
    }

    /// Copies all files into a folder.
    /// @param onProgress bytes copied so far; called often
    /// @return SHA-256 of each file by its name, sorted
    TreeMap<String, String> copyTo(Path folder, LongConsumer onProgress, Cancellation cancellation) throws Failure {
        TreeMap<String, String> hashes = new TreeMap<>();
        long done = 0;
        for (FileEntry file : files) {
            long before = done;
            hashes.put(file.name, copy(file, folder.resolve(file.name), copied -> {
                cancellation.throwIfRequested();
                onProgress.accept(before + copied);
            }));
            done += file.bytes;
        }
        return hashes;
    }

    private String copy(FileEntry file, Path target, LongConsumer onProgress) throws Failure {
        Sha256 hash = new Sha256();
        CRC32 crc = new CRC32();
        long copied = 0;
        InputStream in = open(file);
        try (in; OutputStream out = create(target)) {
            byte[] buffer = new byte[BUFFER];
            for (int read = read(file, in, buffer); read >= 0; read = read(file, in, buffer)) {
                copied += read;
                if (copied > file.bytes) throw damaged(file, null);
                hash.add(ByteBuffer.wrap(buffer, 0, read));
                crc.update(buffer, 0, read);
                out.write(buffer, 0, read);
                onProgress.accept(copied);
            }
        } catch (IOException e) {
            throw new Failure.Unwritable(target + ": cannot be written: " + e.getMessage() + "; free some space", e);
        }
        if (copied != file.bytes || file.crc32 != UNKNOWN_CRC && file.crc32 != crc.getValue())
            throw damaged(file, null);
        return hash.hex();
    }

    private static OutputStream create(Path target) throws IOException {
        Files.createDirectories(target.getParent());
        return Files.newOutputStream(target);
    }

    private InputStream open(FileEntry file) throws Failure {
        try {
            return file.content.open();
        } catch (IOException e) {
            throw damaged(file, e);
        }
    }

    private int read(FileEntry file, InputStream in, byte[] buffer) throws Failure {
        try {
            return in.read(buffer);
        } catch (IOException e) {
            throw damaged(file, e);
        }
    }

    private Failure.Unreadable damaged(FileEntry file, @Nullable IOException cause) {
        String message = source + ": " + file.name + " is truncated or damaged; download or copy it again";
        return cause == null ? new Failure.Unreadable(message) : new Failure.Unreadable(message, cause);
    }

    @Override
    public void close() {
        try {
            if (zip != null) zip.close();
        } catch (IOException read) {
            // Everything was read.
        }
    }
}
