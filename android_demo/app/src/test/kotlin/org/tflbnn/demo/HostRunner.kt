package org.tflbnn.demo

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Robolectric with TensorFlow Lite and the delegate outside of its sandboxes: a JVM lets one class loader alone load a
 * native library, and each Android version has a sandbox with a loader of its own.
 */
class HostRunner(test: Class<*>) : RobolectricTestRunner(test) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration =
        InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
            .doNotAcquirePackage("org.tensorflow.lite.")
            .doNotAcquirePackage("org.tflbnn.delegate.")
            .build()
}
