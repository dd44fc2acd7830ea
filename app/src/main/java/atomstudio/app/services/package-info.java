/// TODO
@NullMarked
package atomstudio.app.services;

import org.jspecify.annotations.NullMarked;
