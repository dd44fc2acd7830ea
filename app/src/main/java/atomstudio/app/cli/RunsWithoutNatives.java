package atomstudio.app.cli;

/// A command that needs no native library: it starts without unpacking them.
interface RunsWithoutNatives {}
