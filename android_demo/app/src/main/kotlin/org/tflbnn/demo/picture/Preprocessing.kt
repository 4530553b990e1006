package org.tflbnn.demo.picture

import java.nio.ByteBuffer
import org.tflbnn.demo.model.ElementType
import org.tflbnn.demo.model.ModelDescription
import org.tflbnn.demo.model.Normalization
import org.tflbnn.demo.model.Sides

/** How a model wants its pictures, where a user may choose. */
enum class Look {
    AS_IT_IS,

    /** Dark ink on paper becomes what networks for handwriting learned from: light strokes on black. */
    INK,
}

/**
 * A picture as a model's input tensor: grey or colour as wanted, resized (bilinear, antialiased), of a larger one the
 * middle, normalized.
 *
 * A model of unsigned bytes gets the pixels as they are, as it normalizes them itself. Without [Normalization] in the
 * file one of floats gets them divided by 255. Keeps its buffers between pictures; for one thread.
 */
class Preprocessing(private val model: ModelDescription) {
    private val input = model.inputs[0]
    private val normalization = model.normalization ?: Normalization(listOf(0f), listOf(255f))
    private val sides = model.resized ?: Sides(model.height, model.width)
    private val top = (sides.height - model.height) / 2
    private val left = (sides.width - model.width) / 2
    private val resized = IntArray(sides.width * sides.height)
    private var plane = IntArray(0)
    private var resize: Resize? = null

    /** Writes [picture] into [tensor], from its start. */
    fun write(picture: Picture, look: Look, tensor: ByteBuffer) {
        tensor.rewind()
        val resize = resizeFor(picture)
        for (channel in 0 until model.channels) {
            if (model.channels == 1) grey(picture, look) else colour(picture, 16 - 8 * channel)
            resize.apply(plane, resized)
            write(channel, tensor)
        }
    }

    private fun resizeFor(picture: Picture): Resize {
        val former = resize
        if (former != null && former.width == picture.width && former.height == picture.height) return former
        plane = IntArray(picture.width * picture.height)
        return Resize(picture.width, picture.height, sides.width, sides.height).also { resize = it }
    }

    /** ITU-R 601-2 luma, in fixed point as Pillow has it. */
    private fun grey(picture: Picture, look: Look) {
        for (i in plane.indices) {
            val pixel = picture.pixels[i]
            val red = pixel shr 16 and 0xff
            val green = pixel shr 8 and 0xff
            plane[i] = (red * 19595 + green * 38470 + (pixel and 0xff) * 7471 + 0x8000) shr 16
        }
        if (look == Look.INK) inkToLight(plane)
    }

    private fun colour(picture: Picture, shift: Int) {
        for (i in plane.indices) plane[i] = picture.pixels[i] shr shift and 0xff
    }

    private fun write(channel: Int, tensor: ByteBuffer) {
        val mean = normalization.mean[channel % normalization.mean.size]
        val std = normalization.std[channel % normalization.std.size]
        for (y in 0 until model.height) {
            for (x in 0 until model.width) {
                val pixel = resized[(top + y) * sides.width + left + x]
                val index = (y * model.width + x) * model.channels + channel
                when (input.type) {
                    ElementType.FLOAT32 -> tensor.putFloat(4 * index, (pixel - mean) / std)
                    ElementType.UINT8 -> tensor.put(index, pixel.toByte())
                    else -> tensor.put(index, signed(pixel, (pixel - mean) / std).toByte())
                }
            }
        }
    }

    /** Of a model that says how to normalize, the value in its input's numbers; of another, the pixel itself. */
    private fun signed(pixel: Int, value: Float): Int =
        if (model.normalization == null) pixel - 128
        else (Math.round(value / input.scale) + input.zeroPoint).coerceIn(-128, 127)
}

/**
 * Turns dark ink on light paper into light strokes on black, in place.
 *
 * Paper is what most of a page shows, ink the darkest hundredth; both vary with the light. What lies close to paper is
 * its texture and becomes black.
 */
internal fun inkToLight(plane: IntArray) {
    val counts = IntArray(256)
    for (value in plane) counts[value]++
    val ink = percentile(counts, plane.size / 100)
    val paper = percentile(counts, plane.size / 2)
    val black = paper - (paper - ink) / 4
    val range = maxOf(1, black - ink)
    for (i in plane.indices) plane[i] = ((black - plane[i]) * 255 / range).coerceIn(0, 255)
}

private fun percentile(counts: IntArray, rank: Int): Int {
    var seen = 0
    return counts.indices.first { value ->
        seen += counts[value]
        seen > rank
    }
}
