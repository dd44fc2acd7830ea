package atomstudio.app.hub;

import atomstudio.diffusion.Failure;
import atomstudio.diffusion.Failure.Remote.Reason;
import atomstudio.diffusion.SafeText;
import atomstudio.diffusion.json.Json;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/// What the hub reports about a repository at one commit.
/// @param commit the revision's commit: a download uses only files of this commit
/// @param gated whether its conditions must be accepted on its page before a download
/// @param files in the hub's order
public record HubRepository(RepositoryId id, String commit, Licence licence, boolean gated, ModelCard card,
        List<HubFile> files) {
    /// The licence in the model card.
    /// @param name an SPDX name or the author's; empty if the author gives none
    /// @param link the licence's text, if the author gives an address
    public record Licence(String name, Optional<String> link) {
        static final Licence NONE = new Licence("", Optional.empty());

        /// For display.
        public String title() {
            return name.isEmpty() ? "not given by the author" : name;
        }
    }

    /// Facts that explain what a repository without a model is.
    /// @param library such as diffusers, transformers, peft; empty if unknown
    /// @param baseModels repositories of the models that an adapter was trained on
    record ModelCard(String library, List<String> tags, List<String> baseModels) {
        ModelCard {
            tags = List.copyOf(tags);
            baseModels = List.copyOf(baseModels);
        }
    }

    /// A file as listed; mirrors may list names only.
    record ListedFile(String path, Optional<Long> size, Optional<HubFile.Checksum> checksum) {}

    public HubRepository {
        files = List.copyOf(files);
    }

    public Optional<HubFile> file(String path) {
        return files.stream().filter(file -> file.path().equals(path)).findFirst();
    }

    /// The answer of `/api/models/ID/revision/REVISION?blobs=true`.
    record Listing(RepositoryId id, Json json) {
        String commit() throws Failure {
            String commit = json.string("sha");
            if (!commit.matches("[0-9a-f]{40}|[0-9a-f]{64}"))
                throw unexpected("sha: expected a commit, found " + SafeText.of(commit));
            return commit;
        }

        /// `false`, or how access is granted: `auto`, `manual`.
        boolean gated() {
            return json.has("gated") && !json.object().get("gated").getAsString().equals("false");
        }

        Licence licence() throws Failure {
            Json card = json.has("cardData") ? json.object("cardData") : new Json(json.source(), new JsonObject());
            List<String> names = texts(card, "license");
            if (names.isEmpty())
                names = texts(json, "tags").stream()
                        .filter(tag -> tag.startsWith("license:"))
                        .map(tag -> tag.substring("license:".length()))
                        .toList();
            if (names.isEmpty()) return Licence.NONE;
            List<String> ownName = texts(card, "license_name");
            String name = names.getFirst().equals("other") && !ownName.isEmpty() ? ownName.getFirst()
                    : String.join(", ", names);
            return new Licence(SafeText.of(name), texts(card, "license_link").stream().map(SafeText::of).findFirst());
        }

        ModelCard card() throws Failure {
            Json card = json.has("cardData") ? json.object("cardData") : json;
            List<String> library = texts(json, "library_name");
            return new ModelCard(library.isEmpty() ? "" : SafeText.of(library.getFirst()), texts(json, "tags"),
                    texts(card, "base_model").stream().map(SafeText::of).toList());
        }

        /// Files with names that some systems cannot have, such as sample images, are left out.
        List<ListedFile> files() throws Failure {
            List<ListedFile> files = new ArrayList<>();
            for (Json sibling : json.objects("siblings")) {
                String path = sibling.string("rfilename");
                if (!HubFile.isInside(path))
                    throw unexpected("lists a file named " + SafeText.of(path)
                            + ", which could be written outside its folder; nothing is downloaded from it");
                if (HubFile.isPortable(path)) files.add(file(sibling, path));
            }
            return files;
        }

        private ListedFile file(Json sibling, String path) throws Failure {
            Json lfs = sibling.has("lfs") ? sibling.object("lfs") : sibling;
            Optional<Long> size = lfs.find("size", "a size in bytes", Json::integer).filter(bytes -> bytes >= 0);
            // An LFS file's blobId is that of its pointer, not of its content.
            Optional<String> hash = sibling.has("lfs") ? lfs.find("sha256", "a hash", Json::string)
                    : sibling.find("blobId", "a hash", Json::string);
            return new ListedFile(path, size,
                    hash.isEmpty() ? Optional.empty() : Optional.of(parse(path, hash.get())));
        }

        private HubFile.Checksum parse(String path, String hash) throws Failure {
            try {
                return HubFile.Checksum.parse(hash);
            } catch (IllegalArgumentException e) {
                throw unexpected(SafeText.of(path) + ": " + e.getMessage() + ", found " + SafeText.of(hash));
            }
        }

        private Failure.Remote unexpected(String problem) {
            return new Failure.Remote(Reason.UNEXPECTED_ANSWER, id + ": the hub's answer: " + problem);
        }

        /// A string or a list of strings; other values are left out.
        private static List<String> texts(Json json, String key) {
            if (!json.has(key)) return List.of();
            JsonElement value = json.object().get(key);
            Iterable<JsonElement> elements = value.isJsonArray() ? value.getAsJsonArray() : List.of(value);
            return StreamSupport.stream(elements.spliterator(), false)
                    .filter(element -> element.isJsonPrimitive() && element.getAsJsonPrimitive().isString())
                    .map(JsonElement::getAsString)
                    .toList();
        }
    }
}
