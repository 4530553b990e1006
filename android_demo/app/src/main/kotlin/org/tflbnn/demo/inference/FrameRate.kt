package org.tflbnn.demo.inference

private const val SECOND = 1_000_000_000L

/** How many frames a second there were of late. */
class FrameRate {
    private val times = ArrayDeque<Long>()

    /** Counts a frame at this time in nanoseconds; frames a second, or null at the first one. */
    fun count(now: Long): Float? {
        times.addLast(now)
        while (now - times.first() > 2 * SECOND) times.removeFirst()
        val span = now - times.first()
        return if (span > 0) (times.size - 1) * SECOND.toFloat() / span else null
    }

    fun reset() = times.clear()
}
