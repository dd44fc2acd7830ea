package atomstudio.app.subjects;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.picture.PhotoFolders;
import atomstudio.diffusion.picture.RgbImage;
import java.nio.file.Path;
import java.util.List;

/// Finds and reads picture files.
public interface PhotoFinder {
    /// What dropped files and folders hold; `files` in the order of their names within a folder.
    /// @param ignored files that do not even claim to be pictures: hidden ones and other extensions
    /// @param folders    the dropped folders and those in them that the files lie in, and those that are not entered
    record FoundFiles(List<Path> files, List<Path> ignored, PhotoFolders folders) {}

    /// A single file counts whatever its extension is: whoever drops it means it.
    FoundFiles find(List<Path> paths) throws Failure;

    /// @throws Failure.Unreadable when it is no picture, or one of a kind that cannot be decoded
    RgbImage read(Path file) throws Failure;
}
