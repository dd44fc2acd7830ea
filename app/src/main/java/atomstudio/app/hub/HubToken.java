package atomstudio.app.hub;

/// An access token of a hub. It is written to the settings file only, and never appears in a message or log.
public record HubToken(String value) {
    /// @throws IllegalArgumentException with a message for the user, which does not contain the token
    public HubToken {
        value = value.strip();
        if (value.isEmpty() || value.chars().anyMatch(c -> c <= ' ' || c > '~'))
            throw new IllegalArgumentException("expected an access token in one line, such as hf_…, found "
                    + (value.isEmpty() ? "nothing" : "spaces or other characters that no token has"));
    }

    @Override
    public String toString() {
        return "access token";
    }
}
