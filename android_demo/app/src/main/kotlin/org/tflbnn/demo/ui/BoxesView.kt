package org.tflbnn.demo.ui

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import org.tflbnn.demo.R
import org.tflbnn.demo.inference.Found

// Colours that differ from each other also for most of those who see fewer of them (Okabe and Ito, 2008).
private val COLOURS = listOf("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7").map(Color::parseColor)
private val WITH_WHITE_TEXT = listOf("#0072b2", "#d55e00", "#009e73").map(Color::parseColor)

/**
 * A picture with the boxes of the objects found in it; without a picture, an overlay for the camera's preview, which
 * shows the square in its middle that the model sees.
 */
class BoxesView(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    var bitmap: Bitmap? = null
        set(value) {
            field = value
            requestLayout()
            invalidate()
        }

    var objects: List<Found> = emptyList()
        set(value) {
            field = value
            invalidate()
        }

    /** Whether the preview below shows left and right exchanged. */
    var mirrored = false

    private val line = pixels(TypedValue.COMPLEX_UNIT_DIP, 3f)
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        // Larger ones would hide what they name; the bars say the same in letters of any size.
        textSize = minOf(pixels(TypedValue.COMPLEX_UNIT_SP, 14f), pixels(TypedValue.COMPLEX_UNIT_DIP, 18f))
    }
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG or Paint.FILTER_BITMAP_FLAG)
    private val area = RectF()
    private val box = RectF()

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val shown = bitmap ?: return super.onMeasure(widthSpec, heightSpec)
        val width = getDefaultSize(suggestedMinimumWidth, widthSpec)
        val whole = width.toLong() * shown.height / shown.width
        val most = resources.getDimensionPixelSize(R.dimen.picture_height).toLong()
        setMeasuredDimension(width, resolveSize(minOf(whole, most).toInt(), heightSpec))
    }

    override fun onDraw(canvas: Canvas) {
        val shown = bitmap
        if (shown == null) fitSquare() else fit(shown.width, shown.height)
        if (shown != null) canvas.drawBitmap(shown, null, area, paint) else drawFinder(canvas)
        // The likeliest last, on top of the others.
        objects.asReversed().forEach { drawBox(canvas, it) }
    }

    private fun fitSquare() = fit(1, 1)

    private fun fit(pictureWidth: Int, pictureHeight: Int) {
        val scale = minOf(width.toFloat() / pictureWidth, height.toFloat() / pictureHeight)
        val left = (width - pictureWidth * scale) / 2
        val top = (height - pictureHeight * scale) / 2
        area.set(left, top, left + pictureWidth * scale, top + pictureHeight * scale)
    }

    /** Dims what the model does not see. */
    private fun drawFinder(canvas: Canvas) {
        paint.style = Paint.Style.FILL
        paint.color = context.getColor(R.color.scrim)
        canvas.drawRect(0f, 0f, width.toFloat(), area.top, paint)
        canvas.drawRect(0f, area.bottom, width.toFloat(), height.toFloat(), paint)
        canvas.drawRect(0f, area.top, area.left, area.bottom, paint)
        canvas.drawRect(area.right, area.top, width.toFloat(), area.bottom, paint)
    }

    private fun drawBox(canvas: Canvas, found: Found) {
        val left = if (mirrored) 1 - found.right else found.left
        val right = if (mirrored) 1 - found.left else found.right
        box.set(
            area.left + left * area.width(), area.top + found.top * area.height(),
            area.left + right * area.width(), area.top + found.bottom * area.height(),
        )
        val colour = COLOURS[Math.floorMod(found.category, COLOURS.size)]
        paint.style = Paint.Style.STROKE
        paint.strokeWidth = line
        paint.color = colour
        canvas.drawRoundRect(box, line, line, paint)
        val label = "${found.guess.label} ${percent(found.guess.score)}"
        val height = text.fontMetrics.let { it.descent - it.ascent }
        val width = text.measureText(label) + 2 * line
        // Above the box, or in it where there is no room.
        val top = if (box.top >= area.top + height) box.top - height else box.top
        val start = box.left.coerceIn(area.left, maxOf(area.left, area.right - width))
        paint.style = Paint.Style.FILL
        canvas.drawRect(start, top, start + width, top + height, paint)
        text.color = if (colour in WITH_WHITE_TEXT) Color.WHITE else Color.BLACK
        canvas.drawText(label, start + line, top - text.fontMetrics.ascent, text)
    }
}
