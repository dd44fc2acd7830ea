package atomstudio.diffusion.tensor;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.FileSnapshot;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// A file mapped read-only until its arena is closed.
record MappedFile(Arena arena, MemorySegment bytes, FileSnapshot snapshot) {
    static MappedFile open(Path file) throws Failure {
        Arena arena = Arena.ofShared();
        try (FileChannel channel = FileChannel.open(file)) {
            FileSnapshot snapshot = FileSnapshot.of(file);
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            return new MappedFile(arena, bytes, snapshot);
        } catch (NoSuchFileException e) {
            arena.close();
            throw new Failure.Unreadable(file + ": no such file", e);
        } catch (IOException e) {
            arena.close();
            throw new Failure.Unreadable(file + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
