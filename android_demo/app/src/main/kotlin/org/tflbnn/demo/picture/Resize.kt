package org.tflbnn.demo.picture

private const val PRECISION = 32 - 8 - 2

/**
 * Resizes planes of values 0 to 255, bilinear and antialiased: shrinking averages over all pixels that a new one covers.
 *
 * The width first, then the height, each in fixed point with 22 bits after the point and rounded to 8 bits: bit for bit
 * what Pillow does for `tflbnn predict`.
 */
class Resize(val width: Int, val height: Int, val newWidth: Int, val newHeight: Int) {
    private val columns = if (newWidth == width) null else Taps(width, newWidth)
    private val rows = if (newHeight == height) null else Taps(height, newHeight)
    private val between = IntArray(newWidth * height)

    /** Writes the resized [plane] into [result], which has room for [newWidth] × [newHeight] values. */
    fun apply(plane: IntArray, result: IntArray) {
        val narrowed = if (rows == null) result else between
        if (columns == null) plane.copyInto(narrowed, 0, 0, width * height) else narrow(columns, plane, narrowed)
        if (rows != null) shorten(rows, narrowed, result)
    }

    private fun narrow(taps: Taps, from: IntArray, to: IntArray) {
        for (y in 0 until height) {
            for (x in 0 until newWidth) {
                var sum = 1 shl (PRECISION - 1)
                val first = y * width + taps.first[x]
                val weight = x * taps.most
                for (tap in 0 until taps.count[x]) sum += from[first + tap] * taps.weights[weight + tap]
                to[y * newWidth + x] = clip(sum)
            }
        }
    }

    private fun shorten(taps: Taps, from: IntArray, to: IntArray) {
        for (y in 0 until newHeight) {
            for (x in 0 until newWidth) {
                var sum = 1 shl (PRECISION - 1)
                for (tap in 0 until taps.count[y]) {
                    sum += from[(taps.first[y] + tap) * newWidth + x] * taps.weights[y * taps.most + tap]
                }
                to[y * newWidth + x] = clip(sum)
            }
        }
    }

    private fun clip(sum: Int) = (sum shr PRECISION).coerceIn(0, 255)
}

/** Which old pixels make each new one along one axis, and with which weights. */
private class Taps(size: Int, newSize: Int) {
    private val scale = size.toDouble() / newSize
    private val spread = maxOf(scale, 1.0)

    /** The most weights that a new pixel has, the distance of one pixel's in [weights] from the next one's. */
    val most = Math.ceil(spread).toInt() * 2 + 1
    val first = IntArray(newSize)
    val count = IntArray(newSize)
    val weights = IntArray(newSize * most)

    init {
        for (pixel in 0 until newSize) {
            val centre = (pixel + 0.5) * scale
            first[pixel] = maxOf(0, (centre - spread + 0.5).toInt())
            count[pixel] = minOf(size, (centre + spread + 0.5).toInt()) - first[pixel]
            val tent = DoubleArray(count[pixel]) { tap ->
                maxOf(0.0, 1 - Math.abs((first[pixel] + tap - centre + 0.5) / spread))
            }
            val total = tent.sum()
            tent.forEachIndexed { tap, value ->
                weights[pixel * most + tap] = (value / total * (1 shl PRECISION) + 0.5).toInt()
            }
        }
    }
}
