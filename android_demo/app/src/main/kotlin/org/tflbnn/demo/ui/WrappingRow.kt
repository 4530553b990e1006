package org.tflbnn.demo.ui

import android.content.Context
import android.util.AttributeSet
import android.view.View
import android.widget.LinearLayout

/** Views beside each other, or below each other where they do not fit: letters may be twice as large as usual. */
class WrappingRow(context: Context, attributes: AttributeSet? = null) : LinearLayout(context, attributes) {
    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val room = MeasureSpec.getSize(widthSpec) - paddingLeft - paddingRight
        val wide = (0 until childCount).map(::getChildAt).filter { it.visibility != View.GONE }.sumOf(::wanted)
        orientation = if (wide <= room) HORIZONTAL else VERTICAL
        super.onMeasure(widthSpec, heightSpec)
    }

    private fun wanted(child: View): Int {
        val free = MeasureSpec.makeMeasureSpec(0, MeasureSpec.UNSPECIFIED)
        child.measure(free, free)
        val margins = child.layoutParams as MarginLayoutParams
        return child.measuredWidth + margins.leftMargin + margins.rightMargin + (dividerDrawable?.intrinsicWidth ?: 0)
    }
}
