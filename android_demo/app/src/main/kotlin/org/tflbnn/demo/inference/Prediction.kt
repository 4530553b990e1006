package org.tflbnn.demo.inference

import org.tflbnn.demo.model.ModelDescription

/** One class and the model's score for it. */
data class Guess(val label: String, val score: Float)

/** One object: its borders as shares of the picture, and its class by number, for a colour of its own. */
data class Found(
    val guess: Guess,
    val category: Int,
    val left: Float,
    val top: Float,
    val right: Float,
    val bottom: Float,
)

/**
 * What a model sees in one picture.
 *
 * [guesses] are all classes with the likeliest first; of a detector, those of [objects]. [probabilities] tells whether
 * the scores are shares of a whole. Times in nanoseconds: [inference] of TFLite alone, [total] with preprocessing.
 */
class Prediction(
    val guesses: List<Guess>,
    val objects: List<Found>?,
    val probabilities: Boolean,
    val inference: Long,
    val total: Long,
)

private const val LEAST_SCORE = 0.3f
private const val ROUNDING = 1e-2f

/** Scores by class, as guesses from the best; of equal scores the first class comes first, as in argmax. */
fun guesses(model: ModelDescription, scores: FloatArray): List<Guess> =
    scores.indices.sortedByDescending { if (scores[it].isNaN()) Float.NEGATIVE_INFINITY else scores[it] }
        .map { Guess(label(model, it), scores[it]) }

fun areProbabilities(scores: FloatArray): Boolean = scores.all { it >= 0 } && Math.abs(scores.sum() - 1) < ROUNDING

/** What TFLite_Detection_PostProcess found: rows of (ymin, xmin, ymax, xmax), classes, scores, and how many count. */
fun objects(model: ModelDescription, boxes: FloatArray, classes: FloatArray, scores: FloatArray, number: Float): List<Found> {
    val rows = minOf(boxes.size / 4, classes.size, scores.size)
    val count = if (number.isNaN()) 0 else number.toInt().coerceIn(0, rows)
    return (0 until count).filter { row -> scores[row] >= LEAST_SCORE && (0 until 4).all { boxes[4 * row + it].isFinite() } }
        .map { row ->
            val (top, left, bottom, right) = List(4) { boxes[4 * row + it].coerceIn(0f, 1f) }
            val category = classes[row].toInt()
            Found(Guess(label(model, category), scores[row]), category, left, top, right, bottom)
        }
}

private fun label(model: ModelDescription, index: Int) = model.labels.getOrNull(index) ?: index.toString()
