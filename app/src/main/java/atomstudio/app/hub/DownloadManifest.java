package atomstudio.app.hub;

import atomstudio.app.hub.DownloadPlan.Choice;
import atomstudio.diffusion.Failure;
import atomstudio.diffusion.file.AtomicFile;
import atomstudio.diffusion.json.Json;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// `download.json` of a downloaded folder: where its files come from, and their checksums. In the folder of an
/// unfinished download it decides which files can be continued.
public record DownloadManifest(String address, RepositoryId id, String commit, String licence, Choice choice,
        List<HubFile> files) {
    static final String NAME = "download.json";

    public DownloadManifest {
        files = List.copyOf(files);
    }

    static DownloadManifest of(HubAddress address, DownloadPlan plan) {
        HubRepository repository = plan.repository();
        return new DownloadManifest(address.toString(), repository.id(), repository.commit(),
                repository.licence().name(), plan.choice(), plan.files());
    }

    /// Empty if the folder was not downloaded, or its manifest is damaged.
    public static Optional<DownloadManifest> read(Path folder) {
        if (!Files.isRegularFile(folder.resolve(NAME))) return Optional.empty();
        try {
            return Optional.of(parse(Json.read(folder.resolve(NAME))));
        } catch (Failure | IllegalArgumentException damaged) {
            return Optional.empty();
        }
    }

    private static DownloadManifest parse(Json json) throws Failure {
        List<HubFile> files = new ArrayList<>();
        for (Json file : json.objects("files")) {
            String path = file.string("path");
            if (!HubFile.isInside(path)) throw new IllegalArgumentException("path: outside the folder");
            files.add(new HubFile(path, file.integer("size"), HubFile.Checksum.parse(file.string("checksum"))));
        }
        Choice choice = json.has("file") ? new Choice.SingleFile(json.string("file"))
                : new Choice.Folder(json.string("variant"));
        return new DownloadManifest(json.string("address"),
                RepositoryId.parse(json.string("repository"), json.string("revision")), json.string("commit"),
                json.string("licence"), choice, files);
    }

    void write(Path folder) throws Failure {
        JsonObject json = new JsonObject();
        json.addProperty("address", address);
        json.addProperty("repository", id.id());
        json.addProperty("revision", id.revision());
        json.addProperty("commit", commit);
        json.addProperty("licence", licence);
        switch (choice) {
            case Choice.Folder(String variant) -> json.addProperty("variant", variant);
            case Choice.SingleFile(String path) -> json.addProperty("file", path);
        }
        JsonArray list = new JsonArray();
        for (HubFile file : files) {
            JsonObject entry = new JsonObject();
            entry.addProperty("path", file.path());
            entry.addProperty("size", file.size());
            entry.addProperty("checksum", file.checksum().hex());
            list.add(entry);
        }
        json.add("files", list);
        byte[] text = (new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n")
                .getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(folder.resolve(NAME), out -> out.write(text));
    }

    public long size() {
        return files.stream().mapToLong(HubFile::size).sum();
    }

    /// The path by which the model of this folder is opened.
    Path modelPath(Path folder) {
        return switch (choice) {
            case Choice.Folder _ -> folder;
            case Choice.SingleFile(String path) -> folder.resolve(path);
        };
    }
}
