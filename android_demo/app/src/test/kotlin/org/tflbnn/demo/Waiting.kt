package org.tflbnn.demo

import android.os.Looper
import org.junit.Assert.fail
import org.robolectric.Shadows.shadowOf

private const val SECONDS = 60

/** Lets the main thread and the worker go on until [condition] holds. */
fun await(what: String, condition: () -> Boolean) {
    val end = System.nanoTime() + SECONDS * 1_000_000_000L
    while (System.nanoTime() < end) {
        shadowOf(Looper.getMainLooper()).idle()
        if (condition()) return
        Thread.sleep(2)
    }
    fail("Waited $SECONDS seconds in vain: $what")
}
