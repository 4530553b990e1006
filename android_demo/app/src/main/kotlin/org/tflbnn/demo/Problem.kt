package org.tflbnn.demo

/** What can go wrong with a file or a device that the app does not control. The screens have a sentence for each. */
enum class Problem {
    NOT_A_MODEL,
    DAMAGED_MODEL,
    MODEL_TOO_LARGE,
    WRONG_INPUT,
    WRONG_OUTPUT,
    WRONG_LABELS,
    UNKNOWN_OPERATOR,
    NEEDS_DELEGATE,
    CANNOT_RUN,
    CRASHED_BEFORE,
    UNREADABLE_FILE,
    NO_PICTURE,
    NO_MEMORY,
    NO_SPACE,
}

/** A [problem] and what was received instead, for the sentence about it. */
class DemoException(val problem: Problem, val detail: String = "", cause: Throwable? = null) :
    Exception("$problem: $detail", cause)

/** Runs [action], of which too little memory is a [Problem] and not the end of the app. */
inline fun <T> withinMemory(action: () -> T): T = try {
    action()
} catch (error: OutOfMemoryError) {
    throw DemoException(Problem.NO_MEMORY, cause = error)
}
