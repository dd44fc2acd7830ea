/// The command line: one class per command, shared option groups, and terminal output.
@NullMarked
package atomstudio.app.cli;

import org.jspecify.annotations.NullMarked;
