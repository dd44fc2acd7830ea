package atomstudio.tuning.adapter;

/// The model that an adapter was trained on: its name, and SHA-256 of its UNet files' bytes after their headers.
public record BaseModel(String name, String hash) {}
