package atomstudio.app.provider;

import java.util.Locale;
import java.util.Optional;

/// An operating system and processor architecture for which native code is built.
record Platform(System system, Architecture architecture) {
    enum System {
        LINUX("Linux"), WINDOWS("Windows"), MAC("macOS");

        private final String title;

        System(String title) {
            this.title = title;
        }

        @Override
        public String toString() {
            return title;
        }
    }

    enum Architecture {
        X86_64, ARM64;

        /// By the names of Java, Python and the tools of the systems.
        static Optional<Architecture> of(String name) {
            return switch (name.toLowerCase(Locale.ROOT)) {
                case "x86_64", "amd64" -> Optional.of(X86_64);
                case "aarch64", "arm64" -> Optional.of(ARM64);
                default -> Optional.empty();
            };
        }
    }

    /// This machine; empty if ONNX Runtime does not run on it.
    static Optional<Platform> current() {
        String name = java.lang.System.getProperty("os.name").toLowerCase(Locale.ROOT);
        System system = name.contains("win") ? System.WINDOWS : name.contains("mac") ? System.MAC : System.LINUX;
        return Architecture.of(java.lang.System.getProperty("os.arch"))
                .map(architecture -> new Platform(system, architecture));
    }

    @Override
    public String toString() {
        return system + " " + architecture.name().toLowerCase(Locale.ROOT);
    }
}
