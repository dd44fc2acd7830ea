/// The services that the window's view models are built from.
@NullMarked
package atomstudio.app.services;

import org.jspecify.annotations.NullMarked;
