package org.tflbnn.demo.inference

import java.util.Collections
import java.util.Random
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem

class FramePipelineTest {
    /** Runs what it is given when told to, as a main thread that is busy with something else. */
    private class Later : Executor {
        val waiting = LinkedBlockingQueue<Runnable>()

        override fun execute(task: Runnable) {
            waiting.add(task)
        }

        fun runAll() {
            while (true) (waiting.poll() ?: return).run()
        }
    }

    private val worker = Later()
    private val main = Later()
    private val shown = ArrayList<FrameResult<Int>>()
    private val pipeline = FramePipeline(worker, main, IntArray(1), { it[0] }, { shown += it })

    private fun offer(value: Int) = pipeline.offer { it[0] = value }

    @Test fun `drops what comes while it works`() {
        pipeline.resume()
        assertTrue(offer(1))
        assertFalse(offer(2))
        worker.runAll()
        assertTrue(offer(3))
        worker.runAll()
        main.runAll()
        assertEquals(listOf(1, 3), shown.map { it.outcome.getOrThrow() })
        assertEquals(listOf(0L, 2L), shown.map { it.number })
        assertEquals(1L, shown.last().dropped)
    }

    @Test fun `shows nothing after a pause, nor what was begun before it`() {
        assertFalse(offer(0))
        pipeline.resume()
        offer(1)
        pipeline.pause()
        worker.runAll()
        main.runAll()
        assertEquals(0, shown.size)
        pipeline.resume()
        offer(2)
        worker.runAll()
        pipeline.pause()
        pipeline.resume()
        main.runAll()
        assertEquals(0, shown.size)
        offer(3)
        worker.runAll()
        main.runAll()
        assertEquals(listOf(3), shown.map { it.outcome.getOrThrow() })
    }

    @Test fun `goes on after what went wrong`() {
        var failure: Throwable = DemoException(Problem.CANNOT_RUN, "once")
        val outcomes = ArrayList<Result<Int>>()
        val failing = FramePipeline<IntArray, Int>(worker, main, IntArray(1), { throw failure }, { outcomes += it.outcome })
        failing.resume()
        for (error in listOf(failure, OutOfMemoryError())) {
            failure = error
            assertTrue(failing.offer {})
            worker.runAll()
        }
        main.runAll()
        assertEquals(listOf(Problem.CANNOT_RUN, Problem.NO_MEMORY), outcomes.map { (it.exceptionOrNull() as DemoException).problem })
        // A frame that cannot be copied, as the camera was closed meanwhile, does not block the next one.
        runCatching { failing.offer { throw IllegalStateException("closed") } }
        assertTrue(failing.offer {})
    }

    @Test fun `keeps its order under threads that pause and resume it at random`() {
        val threads = Executors.newSingleThreadExecutor()
        val screen = Executors.newSingleThreadExecutor()
        val numbers = Collections.synchronizedList(ArrayList<Long>())
        val late = AtomicInteger()
        var paused = false // of the screen's thread, as all that is shown
        val busy = FramePipeline(threads, screen, LongArray(1), { it[0] }, { result: FrameResult<Long> ->
            if (paused) late.incrementAndGet()
            numbers += result.outcome.getOrThrow()
        })
        val random = Random(7)
        var value = 0L
        while (numbers.size < 2000) {
            val begun = value++
            busy.offer { it[0] = begun }
            if (random.nextInt(200) == 0) {
                val pause = random.nextBoolean()
                screen.submit { if (pause) busy.pause() else busy.resume(); paused = pause }.get()
            }
        }
        screen.submit { busy.resume(); paused = false }.get()
        do value++ while (!busy.offer { it[0] = value })
        threads.shutdown()
        assertTrue(threads.awaitTermination(10, TimeUnit.SECONDS))
        screen.shutdown()
        assertTrue(screen.awaitTermination(10, TimeUnit.SECONDS))
        assertEquals(0, late.get())
        assertEquals(numbers.sorted().distinct(), numbers)
        assertEquals(value, numbers.last())
    }
}
