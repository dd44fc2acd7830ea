/// Job arrays on existing schedulers: scripts and manifests as text, and the scheduler's own commands.
@NullMarked
package atomstudio.app.cluster;

import org.jspecify.annotations.NullMarked;
