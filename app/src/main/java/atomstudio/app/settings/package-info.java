/// The user's settings: their page, and their file.
@NullMarked
package atomstudio.app.settings;

import org.jspecify.annotations.NullMarked;
