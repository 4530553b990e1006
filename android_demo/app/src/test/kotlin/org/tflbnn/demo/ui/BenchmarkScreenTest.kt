package org.tflbnn.demo.ui

import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.View
import java.io.ByteArrayOutputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.R
import org.tflbnn.demo.await
import org.tflbnn.demo.benchmark.BenchmarkState
import org.tflbnn.demo.benchmark.THREADS

@RunWith(HostRunner::class)
class BenchmarkScreenTest {
    private val controller = start()
    private val activity get() = controller.get()

    private fun measure() {
        activity.tap(R.id.tab_benchmark)
        activity.tap(R.id.start)
        await("measurements") { application.benchmark.state is BenchmarkState.Done }
    }

    @Test fun `measures both networks, survives rotation and the process's end, and writes CSV`() {
        activity.tap(R.id.tab_benchmark)
        activity.tap(R.id.start)
        await("progress") { application.benchmark.state is BenchmarkState.Running }
        controller.recreate()
        assertTrue(application.benchmark.state is BenchmarkState.Running)
        await("measurements") { application.benchmark.state is BenchmarkState.Done }
        val rows = activity.find<ChartView>(R.id.chart).rows
        assertEquals(4 * THREADS.size, rows.size)
        assertEquals(THREADS.size, rows.count { !it.possible })
        assertTrue(rows.filter { it.possible }.all { it.p50 > 0 && it.p90 >= it.p50 && it.runs > 1 })
        assertEquals(View.VISIBLE, activity.find<View>(R.id.save).visibility)

        activity.tap(R.id.save)
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        val uri = Uri.parse("content://files/out.csv")
        val written = ByteArrayOutputStream()
        shadowOf(application.contentResolver).registerOutputStream(uri, written)
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, Intent().setData(uri))
        assertEquals(2 + 4 * THREADS.size, written.toString().split("\r\n").size)

        val state = Bundle()
        controller.pause().saveInstanceState(state).stop().destroy()
        application.benchmark.stop()
        val again = Robolectric.buildActivity(MainActivity::class.java).setup(state).get()
        assertEquals(rows, again.find<ChartView>(R.id.chart).rows)
    }

    @Test fun `leaving the screen stops it`() {
        activity.tap(R.id.tab_benchmark)
        activity.tap(R.id.start)
        await("progress") { application.benchmark.state is BenchmarkState.Running }
        activity.tap(R.id.tab_models)
        assertTrue(application.benchmark.state is BenchmarkState.Idle)
        activity.tap(R.id.tab_benchmark)
        assertEquals(activity.getString(R.string.benchmark_about), activity.textOf(R.id.status))
    }
}
