package org.tflbnn.demo.inference

import java.util.concurrent.Executor
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicLong
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.withinMemory

/** What came of one frame: its number among all that were offered, and a prediction or what went wrong. */
class FrameResult<R>(val number: Long, val dropped: Long, val outcome: Result<R>)

/**
 * Works on one frame at a time and drops those that come meanwhile: a queue would only show the past.
 *
 * Results come in the order of their frames. After [pause] none comes any more, whatever is still being worked on.
 *
 * @param worker runs [work], one frame after the other.
 * @param deliver runs [show]; in order, as a main thread does.
 * @param frame where a frame is copied to: one is enough.
 */
class FramePipeline<F, R>(
    private val worker: Executor,
    private val deliver: Executor,
    private val frame: F,
    private val work: (F) -> R,
    private val show: (FrameResult<R>) -> Unit,
) {
    private val busy = AtomicBoolean(false)
    private val offered = AtomicLong()
    private val dropped = AtomicLong()

    /** Odd while frames are taken. Each pause and each resumption begins another period, with results of its own. */
    private val period = AtomicInteger()

    /** Copies a frame by [fill] and has it worked on; false where it was dropped, and [fill] not called. */
    fun offer(fill: (F) -> Unit): Boolean {
        val current = period.get()
        if (current % 2 == 0) return false
        val number = offered.getAndIncrement()
        if (!busy.compareAndSet(false, true)) {
            dropped.incrementAndGet()
            return false
        }
        var started = false
        try {
            fill(frame)
            worker.execute { finish(current, number) }
            started = true
        } finally {
            if (!started) busy.set(false)
        }
        return true
    }

    fun resume() {
        period.updateAndGet { it or 1 }
    }

    fun pause() {
        period.updateAndGet { if (it % 2 == 1) it + 1 else it }
    }

    private fun finish(current: Int, number: Long) {
        try {
            if (current != period.get()) return
            val outcome = try {
                Result.success(withinMemory { work(frame) })
            } catch (error: DemoException) {
                Result.failure(error)
            }
            deliver.execute {
                if (current == period.get()) show(FrameResult(number, dropped.get(), outcome))
            }
        } finally {
            busy.set(false)
        }
    }
}
