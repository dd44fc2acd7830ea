/// A subject is a few pictures of one thing, a class word and a placeholder token.
@NullMarked
package atomstudio.app.subjects;

import org.jspecify.annotations.NullMarked;
