package org.tflbnn.demo.ui

import android.app.Activity
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.widget.CheckBox
import android.widget.LinearLayout
import java.io.ByteArrayInputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Shadows.shadowOf
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.R
import org.tflbnn.demo.await

@RunWith(HostRunner::class)
class PictureScreenTest {
    private val MainActivity.cards: List<View>
        get() = find<LinearLayout>(R.id.columns).let { columns ->
            (0 until columns.childCount).map { columns.getChildAt(it) as LinearLayout }.flatMap { column -> (0 until column.childCount).map(column::getChildAt) }
        }

    private fun View.bars() = find<BarsView>(R.id.bars).bars

    private fun share(vararg uris: Uri) = start(
        Intent(Intent.ACTION_SEND_MULTIPLE).setType("image/*").putParcelableArrayListExtra(Intent.EXTRA_STREAM, arrayListOf(*uris)),
    )

    private fun MainActivity.awaitBars(count: Int) = await("$count cards with bars") { cards.size == count && cards.all { it.bars().isNotEmpty() } }

    @Test fun `several chosen pictures become cards with five bars each`() {
        val activity = start().get()
        activity.tap(R.id.tab_picture)
        activity.tap(R.id.choose)
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        assertTrue(asked.getBooleanExtra(Intent.EXTRA_ALLOW_MULTIPLE, false))
        val clip = ClipData.newRawUri("", picture("digits-0.png")).apply { addItem(ClipData.Item(picture("digits-1.png"))) }
        shadowOf(activity).receiveResult(asked, Activity.RESULT_OK, Intent().apply { clipData = clip })
        activity.awaitBars(2)
        for (card in activity.cards) {
            assertEquals(5, card.bars().size)
            assertTrue(card.find<BarsView>(R.id.bars).contentDescription.contains(card.bars()[0].label))
        }
        activity.tap(R.id.clear)
        assertEquals(0, activity.cards.size)
    }

    @Test fun `pictures that another app shares come in, also into the running app`() {
        val controller = share(picture("digits-0.png"), picture("digits-1.png"))
        val activity = controller.get()
        activity.awaitBars(2)
        controller.newIntent(Intent(Intent.ACTION_SEND).setType("image/png").putExtra(Intent.EXTRA_STREAM, picture("digits-2.png")))
        activity.awaitBars(3)
    }

    @Test fun `turning and cropping change what the model sees`() {
        val activity = share(picture("photo.png")).get()
        activity.awaitBars(1)
        val card = activity.cards.single()
        val upright = card.bars()
        card.find<View>(R.id.turn).performClick()
        await("other bars") { card.bars() != upright }
        repeat(3) { card.find<View>(R.id.turn).performClick() }
        await("the first bars again") { card.bars() == upright }
        activity.find<CheckBox>(R.id.square).isChecked = true
        await("other bars") { card.bars() != upright }
    }

    @Test fun `EXIF turns a photograph upright`() {
        val activity = share(picture("exif.jpg"), picture("upright.jpg")).get()
        activity.awaitBars(2)
        val (turned, upright) = activity.cards.map { it.find<BoxesView>(R.id.picture).bitmap!! }
        assertEquals(upright.width to upright.height, turned.width to turned.height)
        assertEquals(activity.cards[1].bars(), activity.cards[0].bars())
    }

    @Test fun `what is no picture, is gone or is forbidden is a sentence`() {
        val text = Uri.parse("content://files/text")
        shadowOf(application.contentResolver).registerInputStreamSupplier(text) { ByteArrayInputStream("hello".toByteArray()) }
        val secret = Uri.parse("content://files/secret")
        shadowOf(application.contentResolver).registerInputStreamSupplier(secret) { throw SecurityException("no permission") }
        val activity = share(text, Uri.parse("file:///nowhere/gone.png"), secret, picture("digits-0.png")).get()
        await("three sentences") { activity.cards.size == 4 && activity.cards[3].bars().isNotEmpty() }
        val said = activity.cards.map { it.find<android.widget.TextView>(R.id.status).text.toString() }
        assertEquals(activity.getString(R.string.problem_no_picture), said[0])
        assertEquals(activity.getString(R.string.problem_unreadable_file, "gone.png"), said[1])
        assertEquals(activity.getString(R.string.problem_unreadable_file, "secret"), said[2])
    }

    @Test fun `rotation and the process's end in the midst of it lose no picture`() {
        val controller = share(picture("digits-0.png"), picture("digits-1.png"))
        controller.get().cards[1].find<View>(R.id.turn).performClick()
        controller.recreate()
        controller.get().awaitBars(2)
        val turned = controller.get().cards[1].bars()
        val state = Bundle()
        controller.pause().stop().saveInstanceState(state).destroy()
        val again = org.robolectric.Robolectric.buildActivity(MainActivity::class.java).setup(state).get()
        again.awaitBars(2)
        assertEquals(turned, again.cards[1].bars())
    }

    @Test fun `another model looks at the pictures anew`() {
        val activity = share(picture("digits-0.png")).get()
        activity.awaitBars(1)
        val before = activity.cards[0].bars()
        activity.tap(R.id.tab_models)
        application.models.currentId = "fashion-mnist"
        activity.tap(R.id.tab_picture)
        await("clothes") { activity.cards[0].bars().map(Bar::label).none { it in before.map(Bar::label) } }
        assertNotEquals(before, activity.cards[0].bars())
    }
}
