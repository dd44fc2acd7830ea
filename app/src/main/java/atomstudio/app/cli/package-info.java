/// The command line: one class a command, and the terminal that they share.
@NullMarked
package atomstudio.app.cli;

import org.jspecify.annotations.NullMarked;
