/// Downloads of models from the Hugging Face hub or a mirror of it: protocol, choice of files, resume, verification.
@NullMarked
package atomstudio.app.hub;

import org.jspecify.annotations.NullMarked;
