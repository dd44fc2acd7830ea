package atomstudio.app.provider;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.engine.ProviderDevice;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.file.Sha256;
import atomstudio.diffusion.json.Json;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/// An execution provider that was added. Its folder has the files of its package and `provider.json`.
/// @param library path in the folder
/// @param devices that it listed when it was added
/// @param files SHA-256 of each file by its path in the folder
public record Provider(Path folder, Origin origin, String library, List<ProviderDevice> devices,
        Map<String, String> files) {
    private static final String MANIFEST = "provider.json";

    /// @param version empty if the package does not state it
    /// @param file name of the wheel, archive or folder that was added
    public record Origin(String packageName, String version, String file, Instant added) {}

    public Provider {
        devices = List.copyOf(devices);
        files = new TreeMap<>(files);
    }

    /// Unique among the added ones: `openvino`.
    public String name() {
        return folder.getFileName().toString();
    }

    /// `openvino 1.8.1`.
    public String title() {
        return (name() + " " + origin.version).strip();
    }

    Path libraryFile() {
        return folder.resolve(library);
    }

    static boolean isIn(Path folder) {
        return Files.isRegularFile(folder.resolve(MANIFEST));
    }

    static Provider read(Path folder) throws Failure {
        Json json = Json.read(folder.resolve(MANIFEST));
        Map<String, String> files = new TreeMap<>();
        for (Json file : json.objects("files")) files.put(file.string("path"), file.string("sha256"));
        List<ProviderDevice> devices = new ArrayList<>();
        for (Json device : json.objects("devices")) devices.add(DeviceJson.read(device));
        String library = json.string("library");
        if (!files.containsKey(library))
            throw new Failure.Unreadable(json.source() + ": library: expected one of the files, found " + library);
        Instant added = json.get("added", "a time", element -> {
            try {
                return Instant.parse(Json.string(element));
            } catch (DateTimeParseException e) {
                throw new IllegalArgumentException(e);
            }
        });
        return new Provider(folder,
                new Origin(json.string("package"), json.string("version"), json.string("file"), added), library,
                devices, files);
    }

    void write() throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("format", 1);
        json.addProperty("package", origin.packageName);
        json.addProperty("version", origin.version);
        json.addProperty("file", origin.file);
        json.addProperty("added", origin.added.toString());
        json.addProperty("library", library);
        JsonArray deviceList = new JsonArray();
        devices.forEach(device -> deviceList.add(DeviceJson.write(device)));
        json.add("devices", deviceList);
        JsonArray fileList = new JsonArray();
        files.forEach((path, hash) -> {
            JsonObject file = new JsonObject();
            file.addProperty("path", path);
            file.addProperty("sha256", hash);
            fileList.add(file);
        });
        json.add("files", fileList);
        String text = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(json) + "\n";
        AtomicFile.write(folder.resolve(MANIFEST), out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /// Compares every file with its checksum, since native code is loaded from them. Reads all of them.
    /// @throws Failure.Unreadable naming the first file that was changed, added or removed
    void requireUnchanged() throws Failure {
        TreeSet<String> found = new TreeSet<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(path -> !Files.isDirectory(path)).toList())
                found.add(folder.relativize(file).toString().replace('\\', '/'));
        } catch (IOException e) {
            throw new Failure.Unreadable(folder + ": cannot be read: " + e.getMessage(), e);
        }
        found.remove(MANIFEST);
        for (String file : found)
            if (!files.containsKey(file)) throw changed(file, "was put into the folder");
        for (Map.Entry<String, String> file : files.entrySet()) {
            if (!found.contains(file.getKey())) throw changed(file.getKey(), "is missing");
            if (!Sha256.of(folder.resolve(file.getKey())).equals(file.getValue()))
                throw changed(file.getKey(), "was changed");
        }
    }

    private Failure.Unreadable changed(String file, String how) {
        return new Failure.Unreadable("execution provider " + name() + " is not loaded: " + folder.resolve(file) + " "
                + how + " after it was added; remove the provider and add it again from its package");
    }
}
