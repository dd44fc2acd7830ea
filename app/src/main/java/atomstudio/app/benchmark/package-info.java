/// The DreamBooth benchmark: subjects × methods × seeds as runs in folders, their images, embeddings and tables.
@NullMarked
package atomstudio.app.benchmark;

import org.jspecify.annotations.NullMarked;
