package org.tflbnn.demo.ui

import android.content.Intent
import android.os.Bundle
import android.view.View
import org.tflbnn.demo.DemoApplication
import org.tflbnn.demo.R

/** One of the app's screens. Its view lives as long as the activity; [show] and [hide] frame the times it is seen. */
abstract class Screen(protected val activity: MainActivity, layout: Int) {
    val view: View = activity.layoutInflater.inflate(layout, activity.find(R.id.content), false)
    protected val app get() = activity.application as DemoApplication

    open fun show() = Unit

    open fun hide() = Unit

    open fun save(state: Bundle) = Unit

    open fun restore(state: Bundle) = Unit

    /** An answer to a question that this screen asked with [MainActivity.ask]. */
    open fun answer(data: Intent) = Unit

    /** The user has decided on a permission that this screen asked for. */
    open fun permission() = Unit

    /** The activity ends. */
    open fun destroy() = Unit

    protected fun <T : View> find(id: Int): T = view.find(id)
}
