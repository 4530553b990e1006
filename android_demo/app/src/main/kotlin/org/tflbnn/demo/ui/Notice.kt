package org.tflbnn.demo.ui

import android.view.View
import android.widget.Button
import android.widget.TextView
import org.tflbnn.demo.R

/** A sentence in the place of something that cannot be shown, with a button that helps. */
class Notice(private val view: View) {
    private val text: TextView = view.find(R.id.notice_text)
    private val button: Button = view.find(R.id.notice_button)

    fun show(message: String, action: Int, act: () -> Unit) {
        text.text = message
        button.setText(action)
        button.setOnClickListener { act() }
        view.visibility = View.VISIBLE
    }

    fun hide() {
        view.visibility = View.GONE
    }
}
