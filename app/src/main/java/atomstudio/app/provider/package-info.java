/// Execution providers of ONNX Runtime that the user adds as plugins, the devices they bring, and which one is used.
@NullMarked
package atomstudio.app.provider;

import org.jspecify.annotations.NullMarked;
