/// Makes the application image that needs no Java on the user's machine, and starts it once.
@NullMarked
package atomstudio.packaging;

import org.jspecify.annotations.NullMarked;
