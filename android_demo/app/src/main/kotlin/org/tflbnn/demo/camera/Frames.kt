package org.tflbnn.demo.camera

import android.media.Image
import org.tflbnn.demo.picture.Turn

/** Copies a camera's image, turned by [turn] to stand upright. */
fun YuvFrame.copy(image: Image, turn: Turn) {
    val (y, u, v) = image.planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) }
    copy(image.width, image.height, turn, y, u, v)
}
