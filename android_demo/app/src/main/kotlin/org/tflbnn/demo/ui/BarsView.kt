package org.tflbnn.demo.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.text.TextPaint
import android.text.TextUtils
import android.util.AttributeSet
import android.util.TypedValue
import android.view.View
import org.tflbnn.demo.R

/** One row of a [BarsView]: what, how much of a whole (0 to 1), and the same in words. */
data class Bar(val label: String, val share: Float, val value: String)

private const val TEXT_SP = 16f
private const val TRACK_DP = 8f
private const val GAP_DP = 4f
private const val ROW_GAP_DP = 12f

/** Labels and values with a bar under each, the first one in the accent's colour. */
class BarsView(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    /** How many rows there is always room for, so that what stands below does not jump. */
    var rows = 0
        set(value) {
            if (field != value) requestLayout()
            field = value
        }

    var bars: List<Bar> = emptyList()
        set(value) {
            if (maxOf(field.size, rows) != maxOf(value.size, rows)) requestLayout()
            field = value
            contentDescription = value.joinToString("; ") { "${it.label} ${it.value}" }
            invalidate()
        }

    private val text = TextPaint(Paint.ANTI_ALIAS_FLAG).apply { textSize = pixels(TypedValue.COMPLEX_UNIT_SP, TEXT_SP) }
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val track = pixels(TypedValue.COMPLEX_UNIT_DIP, TRACK_DP)
    private val gap = pixels(TypedValue.COMPLEX_UNIT_DIP, GAP_DP)
    private val rowGap = pixels(TypedValue.COMPLEX_UNIT_DIP, ROW_GAP_DP)
    private val textHeight = text.fontMetrics.let { it.descent - it.ascent }
    private val rowHeight = textHeight + gap + track + rowGap

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val height = (maxOf(bars.size, rows) * rowHeight).toInt() + paddingTop + paddingBottom
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, widthSpec), resolveSize(height, heightSpec))
    }

    override fun onDraw(canvas: Canvas) {
        val left = paddingLeft.toFloat()
        val right = (width - paddingRight).toFloat()
        bars.forEachIndexed { row, bar ->
            val top = paddingTop + row * rowHeight
            val first = row == 0
            text.isFakeBoldText = first
            text.color = context.getColor(if (first) R.color.ink else R.color.ink_soft)
            val value = text.measureText(bar.value)
            val label = TextUtils.ellipsize(bar.label, text, right - left - value - 2 * rowGap, TextUtils.TruncateAt.END)
            val baseline = top - text.fontMetrics.ascent
            canvas.drawText(label, 0, label.length, left, baseline, text)
            canvas.drawText(bar.value, right - value, baseline, text)
            val trackTop = top + textHeight + gap
            paint.color = context.getColor(R.color.track)
            canvas.drawRoundRect(left, trackTop, right, trackTop + track, track / 2, track / 2, paint)
            if (bar.share > 0) {
                paint.color = context.getColor(if (first) R.color.accent else R.color.accent_soft)
                val end = left + maxOf(track, (right - left) * bar.share)
                canvas.drawRoundRect(left, trackTop, end, trackTop + track, track / 2, track / 2, paint)
            }
        }
    }
}

internal fun View.pixels(unit: Int, value: Float) = TypedValue.applyDimension(unit, value, resources.displayMetrics)
