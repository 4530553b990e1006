package org.tflbnn.demo.ui

import android.graphics.Bitmap
import android.net.Uri
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.tflbnn.demo.R
import org.tflbnn.demo.inference.Prediction
import org.tflbnn.demo.picture.Picture
import org.tflbnn.demo.picture.toBitmap

private const val SHOWN = 5
private const val LONGEST_SIDE = 900
private const val SMALLEST_SIDE = 300

/** A picture as it is shown, and what the model sees in it. */
class Seen(val bitmap: Bitmap, val prediction: Prediction)

/** One picture with its bars. [turn] is what the user turned it by, clockwise, in degrees. */
class PictureCard(
    private val activity: MainActivity,
    parent: ViewGroup,
    val uri: Uri,
    turn: Int,
    predict: (PictureCard) -> Unit,
) {
    val view: View = activity.layoutInflater.inflate(R.layout.picture_card, parent, false)
    var turn = turn
        private set

    private val picture: BoxesView = view.find(R.id.picture)
    private val bars: BarsView = view.find(R.id.bars)
    private val status: TextView = view.find(R.id.status)
    private var asked = 0

    init {
        view.find<View>(R.id.turn).setOnClickListener {
            this.turn = (this.turn + 90) % 360
            predict(this)
        }
    }

    /** Begins to wait; the number tells the answer apart from those to earlier questions. */
    fun ask(): Int {
        status.setText(R.string.looking)
        return ++asked
    }

    fun show(question: Int, result: Result<Seen>) {
        if (question != asked) return
        result.onFailure {
            picture.bitmap = null
            picture.visibility = View.GONE
            bars.bars = emptyList()
            status.text = activity.message(it)
        }
        result.onSuccess { seen ->
            val prediction = seen.prediction
            picture.visibility = View.VISIBLE
            picture.bitmap = seen.bitmap
            picture.objects = prediction.objects.orEmpty()
            picture.contentDescription = activity.getString(R.string.picture_of, prediction.guesses.firstOrNull()?.label ?: "–")
            bars.bars = bars(prediction.guesses, prediction.probabilities, SHOWN)
            status.text = if (prediction.guesses.isEmpty()) activity.getString(R.string.nothing_found)
            else activity.getString(R.string.inference_time, milliseconds(prediction.inference / 1e6))
        }
    }
}

/** Small enough to keep many; a tiny picture grows by a whole factor, so that its pixels are seen as they are. */
fun thumbnail(picture: Picture): Bitmap {
    val longest = maxOf(picture.width, picture.height)
    val bitmap = picture.toBitmap()
    if (longest > LONGEST_SIDE) {
        val scale = LONGEST_SIDE.toFloat() / longest
        val width = maxOf(1, (picture.width * scale).toInt())
        return Bitmap.createScaledBitmap(bitmap, width, maxOf(1, (picture.height * scale).toInt()), true)
    }
    val factor = SMALLEST_SIDE / longest
    return if (factor < 2) bitmap else Bitmap.createScaledBitmap(bitmap, picture.width * factor, picture.height * factor, false)
}
