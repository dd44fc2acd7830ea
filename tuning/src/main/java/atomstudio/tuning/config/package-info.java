/// Training settings and configs: defaults, validation, and their form in run.json.
@NullMarked
package atomstudio.tuning.config;

import org.jspecify.annotations.NullMarked;
