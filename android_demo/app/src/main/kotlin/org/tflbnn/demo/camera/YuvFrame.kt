package org.tflbnn.demo.camera

import java.nio.ByteBuffer
import org.tflbnn.demo.picture.Picture
import org.tflbnn.demo.picture.Turn

/** One plane of a camera's image: a value each [pixelStride] bytes, a row each [rowStride] bytes. */
class Plane(val bytes: ByteBuffer, val rowStride: Int, val pixelStride: Int)

/**
 * A copy of a camera's frame (YUV 4:2:0, full range as in JPEG), which the camera wants back at once.
 *
 * Its arrays are kept from frame to frame.
 */
class YuvFrame {
    var width = 0
        private set
    var height = 0
        private set

    /** By how much the picture in the frame must be turned to stand upright. */
    var turn = Turn.NONE
        private set

    private var luma = ByteArray(0)
    private var blue = ByteArray(0)
    private var red = ByteArray(0)
    private var square: Picture? = null

    fun copy(width: Int, height: Int, turn: Turn, y: Plane, u: Plane, v: Plane) {
        require(width >= 2 && height >= 2) { "A frame must have 2 × 2 pixels. Received: $width × $height." }
        this.width = width
        this.height = height
        this.turn = turn
        luma = copied(y, width, height, luma)
        blue = copied(u, chroma(width), chroma(height), blue)
        red = copied(v, chroma(width), chroma(height), red)
    }

    /** The square in the middle of the frame, upright. The next call overwrites it. */
    fun middle(): Picture {
        val side = minOf(width, height)
        val picture = square?.takeIf { it.width == side } ?: Picture(side, side).also { square = it }
        val left = (width - side) / 2
        val top = (height - side) / 2
        for (y in 0 until side) {
            for (x in 0 until side) {
                picture.pixels[y * side + x] = colour(left + turn.column(x, y, side), top + turn.row(x, y, side))
            }
        }
        return picture
    }

    /** ITU-R BT.601 as JFIF has it, with 16 bits after the point. */
    private fun colour(x: Int, y: Int): Int {
        val chroma = (y / 2) * chroma(width) + x / 2
        val luma = (luma[y * width + x].toInt() and 0xff) shl 16
        val cb = (blue[chroma].toInt() and 0xff) - 128
        val cr = (red[chroma].toInt() and 0xff) - 128
        val half = 1 shl 15
        val r = ((luma + 91881 * cr + half) shr 16).coerceIn(0, 255)
        val g = ((luma - 22554 * cb - 46802 * cr + half) shr 16).coerceIn(0, 255)
        val b = ((luma + 116130 * cb + half) shr 16).coerceIn(0, 255)
        return (0xff shl 24) or (r shl 16) or (g shl 8) or b
    }

    private fun copied(plane: Plane, width: Int, height: Int, former: ByteArray): ByteArray {
        val result = if (former.size == width * height) former else ByteArray(width * height)
        val bytes = plane.bytes.duplicate()
        for (row in 0 until height) {
            if (plane.pixelStride == 1) {
                bytes.position(row * plane.rowStride)
                bytes.get(result, row * width, width)
            } else {
                val start = row * plane.rowStride
                for (x in 0 until width) result[row * width + x] = bytes.get(start + x * plane.pixelStride)
            }
        }
        return result
    }

    private fun chroma(size: Int) = (size + 1) / 2
}
