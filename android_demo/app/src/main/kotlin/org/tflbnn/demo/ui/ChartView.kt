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
import org.tflbnn.demo.benchmark.Measurement

private const val TEXT_SP = 14f

/** Bars of the median times, grouped by threads, with a line from the median to where nine of ten runs end. */
class ChartView(context: Context, attributes: AttributeSet? = null) : View(context, attributes) {
    var rows: List<Measurement> = emptyList()
        set(value) {
            field = value.sortedBy { it.setup.threads }
            contentDescription = field.joinToString("; ") { "${threads(it)}, ${label(it)}: ${value(it)}" }
            requestLayout()
            invalidate()
        }

    private val text = TextPaint(Paint.ANTI_ALIAS_FLAG).apply { textSize = pixels(TypedValue.COMPLEX_UNIT_SP, TEXT_SP) }
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG)
    private val textHeight = text.fontMetrics.let { it.descent - it.ascent }
    private val dp = pixels(TypedValue.COMPLEX_UNIT_DIP, 1f)
    private val rowHeight = textHeight + 22 * dp
    private val groupHeight = textHeight + 16 * dp

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val groups = rows.distinctBy { it.setup.threads }.size
        val height = (groups * groupHeight + rows.size * rowHeight).toInt() + paddingTop + paddingBottom
        setMeasuredDimension(getDefaultSize(suggestedMinimumWidth, widthSpec), resolveSize(height, heightSpec))
    }

    override fun onDraw(canvas: Canvas) {
        val scale = (width - paddingLeft - paddingRight) / (rows.maxOfOrNull(Measurement::p90)?.takeIf { it > 0 } ?: 1.0)
        var top = paddingTop.toFloat()
        var threads = 0
        for (row in rows) {
            if (row.setup.threads != threads) {
                threads = row.setup.threads
                top += 8 * dp
                text.isFakeBoldText = true
                drawText(canvas, threads(row), "", top)
                text.isFakeBoldText = false
                top += groupHeight - 8 * dp
            }
            drawText(canvas, label(row), value(row), top)
            if (row.possible) drawBar(canvas, row, top + textHeight + 3 * dp, scale)
            top += rowHeight
        }
    }

    private fun drawText(canvas: Canvas, label: String, value: String, top: Float) {
        val right = (width - paddingRight).toFloat()
        val valueWidth = text.measureText(value)
        val fitting = TextUtils.ellipsize(label, text, right - paddingLeft - valueWidth - 8 * dp, TextUtils.TruncateAt.END)
        text.color = context.getColor(R.color.ink)
        canvas.drawText(fitting, 0, fitting.length, paddingLeft.toFloat(), top - text.fontMetrics.ascent, text)
        canvas.drawText(value, right - valueWidth, top - text.fontMetrics.ascent, text)
    }

    private fun drawBar(canvas: Canvas, row: Measurement, top: Float, scale: Double) {
        val left = paddingLeft.toFloat()
        val height = 8 * dp
        val middle = top + height / 2
        paint.color = context.getColor(if (row.setup.float) R.color.twin else R.color.accent)
        paint.alpha = if (row.setup.delegate == row.setup.float) OTHER_ALPHA else OPAQUE
        val end = left + maxOf(height, (row.p50 * scale).toFloat())
        canvas.drawRoundRect(left, top, end, top + height, height / 2, height / 2, paint)
        val most = maxOf(end, left + (row.p90 * scale).toFloat())
        paint.strokeWidth = 2 * dp
        canvas.drawLine(end, middle, most, middle, paint)
        canvas.drawLine(most - dp, top, most - dp, top + height, paint)
    }

    private fun threads(row: Measurement) =
        resources.getQuantityString(R.plurals.threads, row.setup.threads, row.setup.threads)

    private fun label(row: Measurement): String {
        val kind = context.getString(if (row.setup.float) R.string.kind_float else R.string.kind_binary)
        return context.getString(if (row.setup.delegate) R.string.with_delegate else R.string.without_delegate, kind)
    }

    private fun value(row: Measurement) =
        if (row.possible) context.getString(R.string.p50_p90, milliseconds(row.p50), milliseconds(row.p90))
        else context.getString(R.string.impossible)

    private companion object {
        const val OPAQUE = 255

        /** Of the less usual way to run a network: 1 bit without the delegate, float with it. */
        const val OTHER_ALPHA = 140
    }
}
