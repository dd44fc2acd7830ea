package atomstudio.app.hub;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A model repository of the hub at a revision.
/// @param owner a user or an organization; empty for the hub's oldest repositories
/// @param revision a branch, tag or commit
public record RepositoryId(String owner, String name, String revision) {
    public static final String MAIN = "main";

    /// Source: huggingface_hub, `utils/_validators.py`.
    private static final Pattern ID = Pattern.compile("(?:(\\b[\\w\\-.]{1,96}\\b)/)?(\\b[\\w\\-.]{1,96})");
    private static final Pattern PAGE = Pattern
            .compile(
                    "(?:https?://)?[\\w.\\-]+\\.[\\w.\\-]+(?::\\d+)?/([^/\\s]+/[^/\\s]+)"
                            + "(?:/(?:tree|blob)/([^/\\s]+).*)?/?");

    /// Parses `owner/name`, or the address of the repository's page. A revision in the address is used unless
    /// `revision` is given.
    /// @param revision empty: the page's, or main
    /// @throws IllegalArgumentException with a message for the user
    public static RepositoryId parse(String text, String revision) {
        String id = text.strip();
        String pageRevision = "";
        Matcher page = PAGE.matcher(id);
        if (page.matches()) {
            id = page.group(1);
            pageRevision = page.group(2) == null ? "" : page.group(2);
        }
        Matcher matcher = ID.matcher(id);
        if (!matcher.matches() || id.contains("--") || id.contains("..") || id.endsWith(".git"))
            throw new IllegalArgumentException(
                    "expected a repository as owner/name, such as stable-diffusion-v1-5/stable-diffusion-v1-5, found \""
                            + text.strip() + "\"");
        String chosen = revision.isBlank() ? pageRevision : revision.strip();
        if (chosen.chars().anyMatch(Character::isISOControl))
            throw new IllegalArgumentException("expected a branch, tag or commit as revision, found control codes");
        return new RepositoryId(matcher.group(1) == null ? "" : matcher.group(1), matcher.group(2),
                chosen.isEmpty() ? MAIN : chosen);
    }

    /// `owner/name`.
    public String id() {
        return owner.isEmpty() ? name : owner + "/" + name;
    }

    /// The parts of the id, for addresses and folders.
    List<String> parts() {
        return owner.isEmpty() ? List.of(name) : List.of(owner, name);
    }

    /// `owner/name`, with a revision other than main: `owner/name@revision`.
    @Override
    public String toString() {
        return revision.equals(MAIN) ? id() : id() + "@" + revision;
    }
}
