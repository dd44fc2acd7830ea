package atomstudio.app.hub;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// A file of a repository.
/// @param path relative to the repository's root, with `/`
/// @param size in bytes
public record HubFile(String path, long size, Checksum checksum) {
    /// Names that Windows reserves, and characters that a file name cannot have on every system.
    private static final Set<String> RESERVED = Set.of("con", "prn", "aux", "nul", "com1", "com2", "com3", "com4",
            "lpt1", "lpt2", "lpt3", "lpt4");
    private static final Pattern NOT_PORTABLE = Pattern.compile("[:*?\"<>|]|[. ]$");
    private static final Pattern DRIVE = Pattern.compile("^[A-Za-z]:");

    /// The content's hash: SHA-256 of a file in Git LFS, or Git's SHA-1 of a small file.
    /// @param hex in lower case
    public record Checksum(Algorithm algorithm, String hex) {
        public enum Algorithm { SHA_256, GIT_SHA_1 }

        /// A checksum by its length.
        /// @throws IllegalArgumentException if it is neither
        static Checksum parse(String hex) {
            String lower = hex.toLowerCase(Locale.ROOT);
            if (lower.matches("[0-9a-f]{64}")) return new Checksum(Algorithm.SHA_256, lower);
            if (lower.matches("[0-9a-f]{40}")) return new Checksum(Algorithm.GIT_SHA_1, lower);
            throw new IllegalArgumentException("checksum: expected 40 or 64 hexadecimal digits");
        }

        /// A digest of content of `size` bytes.
        MessageDigest digest(long size) {
            try {
                if (algorithm == Algorithm.SHA_256) return MessageDigest.getInstance("SHA-256");
                MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
                sha1.update(("blob " + size + "\0").getBytes(StandardCharsets.US_ASCII));
                return sha1;
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java has SHA-256 and SHA-1", e);
            }
        }

        @Override
        public String toString() {
            return (algorithm == Algorithm.SHA_256 ? "SHA-256 " : "Git SHA-1 ") + hex;
        }
    }

    /// Whether a path stays inside its folder.
    static boolean isInside(String path) {
        for (String segment : path.split("/", -1))
            if (segment.isBlank() || segment.equals(".") || segment.equals("..")) return false;
        return !path.contains("\\") && path.chars().noneMatch(Character::isISOControl) && !DRIVE.matcher(path).find();
    }

    /// Whether every system can have a file of this name.
    static boolean isPortable(String path) {
        for (String segment : path.split("/", -1)) {
            String stem = segment.toLowerCase(Locale.ROOT).replaceFirst("\\..*", "");
            if (NOT_PORTABLE.matcher(segment).find() || RESERVED.contains(stem)) return false;
        }
        return true;
    }

    /// The folder; empty for a file in the root.
    String folder() {
        return path.contains("/") ? path.substring(0, path.lastIndexOf('/')) : "";
    }

    String fileName() {
        return path.substring(path.lastIndexOf('/') + 1);
    }
}
