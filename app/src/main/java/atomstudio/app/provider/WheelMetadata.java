package atomstudio.app.provider;

import atomstudio.diffusion.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The metadata in the folder `NAME-VERSION.dist-info` of an unpacked Python wheel.
/// @param tags `py3-none-manylinux_2_28_x86_64`
/// @param requirements packages that it requires: `onnxruntime>=1.23`
/// Source: Python packaging specifications, "Binary distribution format" and "Core metadata".
record WheelMetadata(String name, String version, List<String> tags, List<String> requirements,
        RuntimeVersions runtime) {
    private static final String RUNTIME_PACKAGE = "onnxruntime";
    private static final Pattern REQUIREMENT = Pattern.compile("([\\w.-]+)\\s*(?:\\[.*?])?\\s*\\(?([^;)]*)\\)?.*");
    /// Plugins do not require the runtime's package; they name the version in the description.
    private static final Pattern DESCRIBED = Pattern.compile(RUNTIME_PACKAGE + "\\s*>=\\s*([\\d.]*\\d)");

    /// Versions of ONNX Runtime that a package works with.
    /// @param specifiers `>=1.23`, all of which must hold
    record RuntimeVersions(List<String> specifiers) {
        private static final Pattern SPECIFIER = Pattern.compile("(>=|<=|==|!=|~=|<|>)\\s*(\\d+(?:\\.\\d+)*)(\\.\\*)?");

        boolean includes(String version) {
            return specifiers.stream().allMatch(specifier -> holds(specifier, version));
        }

        /// A specifier of an unknown form holds.
        private static boolean holds(String specifier, String version) {
            Matcher matcher = SPECIFIER.matcher(specifier.strip());
            if (!matcher.matches()) return true;
            String bound = matcher.group(2);
            int length = bound.split("\\.").length;
            int order = compare(version, bound);
            return switch (matcher.group(1)) {
                case ">=" -> order >= 0;
                case "<=" -> order <= 0;
                case ">" -> order > 0;
                case "<" -> order < 0;
                case "~=" -> order >= 0 && compare(prefix(version, length - 1), prefix(bound, length - 1)) == 0;
                case "==" -> matcher.group(3) == null ? order == 0 : compare(prefix(version, length), bound) == 0;
                default -> matcher.group(3) == null ? order != 0 : compare(prefix(version, length), bound) != 0;
            };
        }

        private static String prefix(String version, int length) {
            return String.join(".", Stream.of(version.split("\\.")).limit(length).toList());
        }

        private static int compare(String left, String right) {
            String[] a = left.split("\\."), b = right.split("\\.");
            for (int i = 0; i < Math.max(a.length, b.length); i++) {
                int order = Integer.compare(number(a, i), number(b, i));
                if (order != 0) return order;
            }
            return 0;
        }

        private static int number(String[] parts, int index) {
            return index < parts.length && parts[index].matches("\\d{1,9}") ? Integer.parseInt(parts[index]) : 0;
        }
    }

    /// Of an unpacked wheel; empty if the folder is none.
    static Optional<WheelMetadata> read(Path folder) throws Failure {
        Optional<Path> info = infoFolder(folder);
        if (info.isEmpty()) return Optional.empty();
        List<String> lines = lines(info.get().resolve("METADATA"));
        int end = lines.indexOf("");
        List<String> header = end < 0 ? lines : lines.subList(0, end);
        String description = end < 0 ? "" : String.join("\n", lines.subList(end, lines.size()));
        List<String> requirements = values(header, "Requires-Dist");
        List<String> specifiers = new ArrayList<>();
        for (String requirement : requirements) {
            Matcher matcher = REQUIREMENT.matcher(requirement);
            if (matcher.matches() && matcher.group(1).equalsIgnoreCase(RUNTIME_PACKAGE))
                specifiers.addAll(List.of(matcher.group(2).split(",")));
        }
        Matcher described = DESCRIBED.matcher(description);
        if (specifiers.isEmpty() && described.find()) specifiers.add(">=" + described.group(1));
        Path wheel = info.get().resolve("WHEEL");
        List<String> tags = Files.isRegularFile(wheel) ? values(lines(wheel), "Tag") : List.of();
        return Optional.of(new WheelMetadata(value(header, "Name"), value(header, "Version"), tags, requirements,
                new RuntimeVersions(specifiers.stream().map(String::strip).toList())));
    }

    private static Optional<Path> infoFolder(Path folder) throws Failure {
        try (Stream<Path> children = Files.list(folder)) {
            return children.filter(child -> child.getFileName().toString().endsWith(".dist-info")
                    && Files.isRegularFile(child.resolve("METADATA"))).findFirst();
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<String> lines(Path file) throws Failure {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new Failure.Unreadable(file.getFileName() + " of the package cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<String> values(List<String> lines, String key) {
        String prefix = key.toLowerCase(Locale.ROOT) + ":";
        return lines.stream()
                .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(prefix))
                .map(line -> line.substring(prefix.length()).strip())
                .toList();
    }

    private static String value(List<String> lines, String key) {
        return values(lines, key).stream().findFirst().orElse("");
    }

    /// Whether one of the tags is for this platform, or for any.
    boolean runsOn(Platform platform) {
        return tags.isEmpty() || tags.stream().anyMatch(tag -> isFor(tag, platform));
    }

    private static boolean isFor(String tag, Platform platform) {
        String name = tag.substring(tag.lastIndexOf('-') + 1).toLowerCase(Locale.ROOT);
        if (name.equals("any")) return true;
        boolean isArchitecture = switch (platform.architecture()) {
            case X86_64 -> name.matches(".*_(x86_64|amd64|universal2)");
            case ARM64 -> name.matches(".*_(aarch64|arm64|universal2)");
        };
        return isArchitecture && name.matches(switch (platform.system()) {
            case LINUX -> "(many|musl)?linux.*";
            case WINDOWS -> "win_.*";
            case MAC -> "macosx_.*";
        });
    }

    /// Compares the files with the checksums of the wheel's list, if it has one.
    /// @param hashes SHA-256 by file name
    /// @return the name of the first file that differs or is missing
    static Optional<String> firstDamaged(Path folder, Map<String, String> hashes) throws Failure {
        Optional<Path> info = infoFolder(folder);
        if (info.isEmpty() || !Files.isRegularFile(info.get().resolve("RECORD"))) return Optional.empty();
        for (String line : lines(info.get().resolve("RECORD"))) {
            Matcher matcher = Pattern.compile("\"?(.*?)\"?,sha256=([\\w-]{43}),\\d*").matcher(line);
            if (!matcher.matches()) continue;
            String expected = HexFormat.of().formatHex(Base64.getUrlDecoder().decode(matcher.group(2)));
            if (!expected.equals(hashes.get(matcher.group(1)))) return Optional.of(matcher.group(1));
        }
        return Optional.empty();
    }
}
