package org.tflbnn.demo.picture

/** An upright picture: [pixels] are 0xAARRGGBB, row by row from the top. */
class Picture(val width: Int, val height: Int, val pixels: IntArray = IntArray(width * height)) {
    init {
        require(width > 0 && height > 0 && pixels.size == width * height) {
            "A picture of $width × $height needs as many pixels. Received: ${pixels.size}."
        }
    }

    /** Turned clockwise by 0, 90, 180 or 270 degrees. */
    fun turned(degrees: Int): Picture {
        val turn = Turn.of(degrees)
        val result = if (turn.swaps) Picture(height, width) else Picture(width, height)
        for (y in 0 until result.height) {
            for (x in 0 until result.width) {
                result.pixels[y * result.width + x] =
                    pixels[turn.row(x, y, height) * width + turn.column(x, y, width)]
            }
        }
        return result
    }

    /** The largest square in its middle. */
    fun middle(): Picture {
        val side = minOf(width, height)
        val left = (width - side) / 2
        val top = (height - side) / 2
        val square = Picture(side, side)
        for (y in 0 until side) pixels.copyInto(square.pixels, y * side, (top + y) * width + left, (top + y) * width + left + side)
        return square
    }
}

/** A turn clockwise: where a pixel of the turned picture was before. */
enum class Turn(val degrees: Int) {
    NONE(0), RIGHT(90), OVER(180), LEFT(270);

    /** Whether width and height change places. */
    val swaps get() = this == RIGHT || this == LEFT

    fun column(x: Int, y: Int, width: Int): Int = when (this) {
        NONE -> x
        RIGHT -> y
        OVER -> width - 1 - x
        LEFT -> width - 1 - y
    }

    fun row(x: Int, y: Int, height: Int): Int = when (this) {
        NONE -> y
        RIGHT -> height - 1 - x
        OVER -> height - 1 - y
        LEFT -> x
    }

    companion object {
        fun of(degrees: Int): Turn =
            requireNotNull(values().firstOrNull { it.degrees == Math.floorMod(degrees, 360) }) {
                "A turn must be a multiple of 90 degrees. Received: $degrees."
            }
    }
}
