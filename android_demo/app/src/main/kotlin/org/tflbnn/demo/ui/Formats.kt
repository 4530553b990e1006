package org.tflbnn.demo.ui

import android.content.Context
import android.text.format.Formatter
import java.text.NumberFormat
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem
import org.tflbnn.demo.R
import org.tflbnn.demo.inference.Guess
import org.tflbnn.demo.model.ModelDescription

/** The sentence about what went wrong, in the user's language. */
fun Context.message(error: Throwable): String {
    val (problem, detail) = (error as? DemoException)?.let { it.problem to it.detail } ?: throw error
    val text = when (problem) {
        Problem.NOT_A_MODEL -> R.string.problem_not_a_model
        Problem.DAMAGED_MODEL -> R.string.problem_damaged_model
        Problem.MODEL_TOO_LARGE -> R.string.problem_model_too_large
        Problem.WRONG_INPUT -> R.string.problem_wrong_input
        Problem.WRONG_OUTPUT -> R.string.problem_wrong_output
        Problem.WRONG_LABELS -> R.string.problem_wrong_labels
        Problem.UNKNOWN_OPERATOR -> R.string.problem_unknown_operator
        Problem.NEEDS_DELEGATE -> R.string.problem_needs_delegate
        Problem.CANNOT_RUN -> R.string.problem_cannot_run
        Problem.CRASHED_BEFORE -> R.string.problem_crashed_before
        Problem.UNREADABLE_FILE -> R.string.problem_unreadable_file
        Problem.NO_PICTURE -> R.string.problem_no_picture
        Problem.NO_MEMORY -> R.string.problem_no_memory
        Problem.NO_SPACE -> R.string.problem_no_space
    }
    return getString(text, detail)
}

/** A model's name: of those shipped in the user's language, else as its file has it. */
fun Context.modelName(id: String, description: ModelDescription?): String = when (id.removeSuffix("-float")) {
    "digits" -> getString(R.string.model_digits)
    "fashion-mnist", "fashion-mnist-ensemble" -> getString(R.string.model_fashion_mnist)
    "shapes" -> getString(R.string.model_shapes)
    else -> description?.name?.takeIf(String::isNotBlank) ?: id
}

fun Context.kind(description: ModelDescription): String {
    val kind = getString(if (description.isBinary) R.string.kind_binary else R.string.kind_float)
    return if (description.members > 1) getString(R.string.kind_of_members, description.members, kind) else kind
}

fun Context.fileSize(bytes: Long): String = Formatter.formatShortFileSize(this, bytes)

fun percent(share: Float, digits: Int = 0): String =
    NumberFormat.getPercentInstance().apply { maximumFractionDigits = digits; minimumFractionDigits = digits }.format(share)

fun decimal(value: Double, digits: Int): String =
    NumberFormat.getNumberInstance().apply { maximumFractionDigits = digits; minimumFractionDigits = digits }.format(value)

/** Milliseconds with three significant digits, as far as a screen needs them. */
fun milliseconds(value: Double): String = decimal(value, if (value < 10) 2 else if (value < 100) 1 else 0)

/** Guesses as bars: shares of a whole where they are probabilities, plain numbers else. */
fun bars(guesses: List<Guess>, probabilities: Boolean, most: Int): List<Bar> = guesses.take(most).map { guess ->
    val share = if (probabilities) guess.score.coerceIn(0f, 1f) else 0f
    Bar(guess.label, share, if (probabilities) percent(guess.score) else decimal(guess.score.toDouble(), 2))
}
