package org.tflbnn.demo.ui

import android.content.Intent
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.CheckBox
import android.widget.LinearLayout
import android.widget.TextView
import android.widget.Toast
import org.tflbnn.demo.R
import org.tflbnn.demo.inference.CurrentPredictor
import org.tflbnn.demo.picture.Look
import org.tflbnn.demo.picture.loadPicture

private const val MOST = 30
private const val URIS = "picture_uris"
private const val TURNS = "picture_turns"
private const val SQUARE = "picture_square"
private const val INK = "picture_ink"

/** What the model sees in pictures, chosen here or shared by another app. */
class PictureScreen(activity: MainActivity) : Screen(activity, R.layout.picture) {
    private val title: TextView = find(R.id.title)
    private val empty: View = find(R.id.empty)
    private val square: CheckBox = find(R.id.square)
    private val ink: CheckBox = find(R.id.ink)
    private val columns: List<ViewGroup>
    private val cards = ArrayList<PictureCard>()
    private var model: String? = null

    init {
        val parent: LinearLayout = find(R.id.columns)
        columns = List(activity.resources.getInteger(R.integer.columns)) {
            LinearLayout(activity).apply { orientation = LinearLayout.VERTICAL }.also { column ->
                parent.addView(column, LinearLayout.LayoutParams(0, ViewGroup.LayoutParams.WRAP_CONTENT, 1f))
            }
        }
        find<View>(R.id.choose).setOnClickListener { choose() }
        find<View>(R.id.clear).setOnClickListener { clear() }
        listOf(square, ink).forEach { box -> box.setOnCheckedChangeListener { _, _ -> cards.forEach(::predict) } }
        refresh()
    }

    override fun show() {
        val id = app.models.currentId
        if (model == id) return
        model = id
        app.infer({ it.get().model }) { opened ->
            opened.onSuccess {
                title.text = activity.getString(
                    R.string.model_and_kind, activity.modelName(it.id, it.description), activity.kind(it.description),
                )
                ink.visibility = if (it.description.channels == 1) View.VISIBLE else View.GONE
            }.onFailure { title.text = activity.message(it) }
        }
        cards.forEach(::predict)
    }

    override fun save(state: Bundle) {
        state.putParcelableArrayList(URIS, ArrayList(cards.map(PictureCard::uri)))
        state.putIntArray(TURNS, cards.map(PictureCard::turn).toIntArray())
        state.putBoolean(SQUARE, square.isChecked)
        state.putBoolean(INK, ink.isChecked)
    }

    override fun restore(state: Bundle) {
        square.isChecked = state.getBoolean(SQUARE)
        ink.isChecked = state.getBoolean(INK)
        @Suppress("DEPRECATION") // its successor needs API 33
        val uris = state.getParcelableArrayList<Uri>(URIS).orEmpty()
        add(uris, state.getIntArray(TURNS) ?: IntArray(0))
    }

    /** Pictures from the system's picker, or from an app that shares some. */
    override fun answer(data: Intent) {
        val clip = data.clipData
        val uris = when {
            clip != null && clip.itemCount > 0 -> (0 until clip.itemCount).mapNotNull { clip.getItemAt(it).uri }
            data.action == Intent.ACTION_SEND || data.action == Intent.ACTION_SEND_MULTIPLE -> shared(data)
            else -> listOfNotNull(data.data)
        }
        add(uris, IntArray(0))
    }

    @Suppress("DEPRECATION") // its successor needs API 33
    private fun shared(data: Intent): List<Uri> = when (data.action) {
        Intent.ACTION_SEND -> listOfNotNull(data.getParcelableExtra(Intent.EXTRA_STREAM))
        else -> data.getParcelableArrayListExtra<Uri>(Intent.EXTRA_STREAM).orEmpty()
    }

    private fun choose() = activity.ask(
        Tab.PICTURE,
        Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType("image/*")
            .putExtra(Intent.EXTRA_ALLOW_MULTIPLE, true),
    )

    private fun add(uris: List<Uri>, turns: IntArray) {
        if (cards.size + uris.size > MOST) {
            Toast.makeText(activity, activity.getString(R.string.most_pictures, MOST), Toast.LENGTH_LONG).show()
        }
        for ((index, uri) in uris.take(MOST - cards.size).withIndex()) {
            val column = columns[cards.size % columns.size]
            val card = PictureCard(activity, column, uri, turns.getOrElse(index) { 0 }, ::predict)
            cards += card
            column.addView(card.view)
            predict(card)
        }
        refresh()
    }

    private fun clear() {
        cards.clear()
        columns.forEach(ViewGroup::removeAllViews)
        refresh()
    }

    private fun refresh() {
        empty.visibility = if (cards.isEmpty()) View.VISIBLE else View.GONE
        find<View>(R.id.clear).visibility = if (cards.isEmpty()) View.GONE else View.VISIBLE
    }

    private fun predict(card: PictureCard) {
        val asked = card.ask()
        val turn = card.turn
        val crop = square.isChecked
        val look = if (ink.isChecked) Look.INK else Look.AS_IT_IS
        app.infer({ it.see(card.uri, turn, crop, look) }) { card.show(asked, it) }
    }

    private fun CurrentPredictor.see(uri: Uri, turn: Int, crop: Boolean, look: Look): Seen {
        val picture = loadPicture(activity.contentResolver, uri).turned(turn).let { if (crop) it.middle() else it }
        val predictor = get()
        val ink = if (predictor.model.description.channels == 1) look else Look.AS_IT_IS
        return Seen(thumbnail(picture), predictor.predict(picture, ink))
    }
}
