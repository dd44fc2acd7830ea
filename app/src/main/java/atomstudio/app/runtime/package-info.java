/// The program's environment: home folder, embedded assets, native libraries, devices, build.
@NullMarked
package atomstudio.app.runtime;

import org.jspecify.annotations.NullMarked;
