/// Image generation shared by the command line and the window: engine, adapters, previews, generation parameters.
@NullMarked
package atomstudio.app.pipeline;

import org.jspecify.annotations.NullMarked;
