package atomstudio.app.freedesktop;

import java.util.OptionalInt;

/// The program's icon in the desktop's taskbar or dock. Any thread; calls return at once.
public interface Taskbar extends AutoCloseable {
    /// What the icon shows.
    /// @param percent a progress bar, 0..100; empty: none
    /// @param urgent whether it calls for attention
    record TaskbarState(OptionalInt percent, boolean urgent) {
        public static final TaskbarState NONE = new TaskbarState(OptionalInt.empty(), false);
    }

    void show(TaskbarState state);

    /// Shows nothing any more. Returns after a moment at most.
    @Override
    void close();

    /// That of this desktop; on Windows and macOS it shows nothing.
    static Taskbar current() {
        String address = System.getenv(LauncherEntry.ADDRESS_VARIABLE);
        boolean linux = System.getProperty("os.name").startsWith("Linux");
        return linux && address != null && !address.isBlank() ? new LauncherEntry(address) : new NoTaskbar();
    }

    /// Shows nothing.
    record NoTaskbar() implements Taskbar {
        @Override
        public void show(TaskbarState state) {}

        @Override
        public void close() {}
    }
}
