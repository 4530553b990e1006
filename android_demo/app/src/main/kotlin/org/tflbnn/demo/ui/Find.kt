package org.tflbnn.demo.ui

import android.app.Activity
import android.view.View

/** A view of a layout that has it. requireViewById, which is the same, needs API 28. */
fun <T : View> View.find(id: Int): T = findViewById<T>(id)!!

fun <T : View> Activity.find(id: Int): T = findViewById<T>(id)!!
