package org.tflbnn.demo.ui

import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.RadioButton
import java.io.ByteArrayInputStream
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Shadows.shadowOf
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.R
import org.tflbnn.demo.TestData
import org.tflbnn.demo.await

@RunWith(HostRunner::class)
class ModelsScreenTest {
    private val activity = start().get().apply {
        tap(R.id.tab_models)
        await("models") { list.childCount > 0 }
    }
    private val MainActivity.list get() = find<ViewGroup>(R.id.list)

    private fun choice(row: Int) = activity.list.getChildAt(row).find<RadioButton>(R.id.choice)

    private fun open(uri: Uri): String {
        activity.tap(R.id.open)
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.intent.action)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(uri))
        await("an answer") { activity.textOf(R.id.status).let { it.isNotEmpty() && it != activity.getString(R.string.trying) } }
        return activity.textOf(R.id.status)
    }

    private fun open(name: String, bytes: ByteArray): String = open(stream(name) { ByteArrayInputStream(bytes) })

    private fun stream(name: String, stream: () -> InputStream): Uri {
        val uri = Uri.parse("content://files/$name")
        shadowOf(application.contentResolver).registerInputStreamSupplier(uri, stream)
        return uri
    }

    private fun shipped(name: String) = application.assets.open("models/$name.tflite").use { it.readBytes() }

    @Test fun `lists what is shipped, and a tap chooses`() {
        assertEquals(application.models.ids.size, activity.list.childCount)
        assertTrue(choice(0).isChecked)
        activity.list.getChildAt(1).performClick()
        assertEquals(application.models.ids[1], application.models.currentId)
        assertTrue(choice(1).isChecked)
        assertFalse(choice(0).isChecked)
    }

    @Test fun `opens a file, keeps a copy and forgets it when asked to`() {
        assertEquals(activity.getString(R.string.added, "mine"), open("mine.tflite", shipped("digits")))
        assertEquals("mine", application.models.currentId)
        await("its card") { activity.list.childCount == application.models.ids.size }
        assertEquals(activity.getString(R.string.added, "mine (2)"), open("mine.tflite", shipped("fashion-mnist")))
        await("its card") { activity.list.childCount == application.models.ids.size }
        activity.list.getChildAt(activity.list.childCount - 1).find<View>(R.id.remove).performClick()
        await("one card less") { "mine (2)" !in application.models.ids && activity.list.childCount == application.models.ids.size }
        assertEquals(application.models.ids[0], application.models.currentId)
    }

    @Test fun `a name never leads out of the models' folder`() {
        open("..%2F..%2Fescape.tflite", shipped("digits"))
        assertTrue(File(application.filesDir, "models/escape.tflite").exists())
    }

    @Test fun `files that are no models are refused in a sentence and leave nothing behind`() {
        val before = application.models.ids
        val cut = shipped("digits").let { it.copyOf(it.size / 2) }
        assertEquals(activity.getString(R.string.problem_not_a_model), open("a.tflite", "hello".toByteArray()))
        assertEquals(activity.getString(R.string.problem_not_a_model), open("b.tflite", ByteArray(0)))
        assertEquals(activity.getString(R.string.problem_damaged_model), open("c.tflite", cut))
        for ((file, text) in TestData.lines("refused.txt").map { it.split('\t') }) {
            val message = open(file, TestData.file(file).readBytes())
            assertTrue("$file: $message", text in message)
        }
        assertEquals(before, application.models.ids)
        assertEquals(0, File(application.filesDir, "models").list().orEmpty().size)
    }

    @Test fun `a stream that fails or is forbidden is a sentence too`() {
        val gone = stream("gone.tflite") { throw FileNotFoundException() }
        assertEquals(activity.getString(R.string.problem_unreadable_file, "gone"), open(gone))
        val broken = stream("broken.tflite") {
            object : InputStream() {
                override fun read(): Int = throw IOException("cable pulled")
            }
        }
        assertEquals(activity.getString(R.string.problem_unreadable_file, "broken"), open(broken))
        val forbidden = stream("forbidden.tflite") { throw SecurityException("no permission") }
        assertEquals(activity.getString(R.string.problem_unreadable_file, "forbidden"), open(forbidden))
    }

    @Test fun `a model that ended the app is removed at the next start`() {
        open("evil.tflite", shipped("digits"))
        // What is left of a process that ended while native code had the model.
        application.getSharedPreferences("models", 0).edit().putString("opening", "evil").commit()
        activity.tap(R.id.tab_picture)
        val refusal = activity.getString(R.string.problem_crashed_before, "evil")
        await("a refusal") { activity.textOf(R.id.title) == refusal }
        assertFalse("evil" in application.models.ids)
        var opened = ""
        application.infer({ it.get().model.id }) { opened = it.getOrThrow() }
        await("another model") { opened.isNotEmpty() }
    }
}
