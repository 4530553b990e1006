package org.tflbnn.demo.camera

import java.nio.ByteBuffer
import java.util.Random
import org.tflbnn.demo.picture.Turn

/** A frame of a camera as its three planes, with strides as devices have them. */
class SyntheticFrame(val width: Int, val height: Int, val turn: Turn, val y: Plane, val u: Plane, val v: Plane) {
    fun copyTo(frame: YuvFrame) = frame.copy(width, height, turn, y, u, v)

    companion object {
        /** One colour, in YUV; the rows have gaps between them, and U and V share their rows where [interleaved]. */
        fun of(width: Int, height: Int, turn: Turn, interleaved: Boolean, colour: (x: Int, y: Int) -> Triple<Int, Int, Int>): SyntheticFrame {
            val step = if (interleaved) 2 else 1
            fun plane(width: Int, height: Int, step: Int, value: (Int, Int) -> Int): Plane {
                val stride = width * step + 5
                // The last row ends with its last value, as cameras have it.
                val bytes = ByteBuffer.allocateDirect(stride * (height - 1) + (width - 1) * step + 1)
                for (y in 0 until height) for (x in 0 until width) bytes.put(y * stride + x * step, value(x, y).toByte())
                return Plane(bytes, stride, step)
            }
            val (halfWidth, halfHeight) = listOf((width + 1) / 2, (height + 1) / 2)
            return SyntheticFrame(
                width, height, turn,
                plane(width, height, 1) { x, y -> colour(x, y).first },
                plane(halfWidth, halfHeight, step) { x, y -> colour(2 * x, 2 * y).second },
                plane(halfWidth, halfHeight, step) { x, y -> colour(2 * x, 2 * y).third },
            )
        }

        fun random(random: Random, width: Int, height: Int): SyntheticFrame {
            val phase = random.nextInt(256)
            return of(width, height, Turn.of(90 * random.nextInt(4)), random.nextBoolean()) { x, y ->
                Triple((x + y + phase) and 0xff, (x * 2 + phase) and 0xff, (y * 2 + phase) and 0xff)
            }
        }
    }
}
