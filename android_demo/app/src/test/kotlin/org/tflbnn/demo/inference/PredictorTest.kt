package org.tflbnn.demo.inference

import java.io.File
import java.util.Random
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Executors
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.LockSupport
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RuntimeEnvironment
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.Problem
import org.tflbnn.demo.TestData
import org.tflbnn.demo.camera.SyntheticFrame
import org.tflbnn.demo.camera.YuvFrame
import org.tflbnn.demo.model.ElementType
import org.tflbnn.demo.model.ModelStore
import org.tflbnn.demo.picture.Look
import org.tflbnn.demo.picture.loadPicture

private const val FRAMES = 10_000
private const val SETTLED = 2_000
private const val PAGE = 4096L

@RunWith(HostRunner::class)
class PredictorTest {
    private val models = ModelStore(RuntimeEnvironment.getApplication())

    /** A line for each model and picture: their names, and the scores or objects that the Python library gives. */
    @Test fun `sees in pictures what tflbnn predict sees`() {
        val lines = TestData.lines("predictions.txt")
        assertTrue("lines: ${lines.size}", lines.size >= 40)
        for ((model, rows) in lines.map { it.split('\t') }.groupBy { it[0] }) {
            Predictor(TestData.model(model, models)).use { predictor ->
                // Integers go in steps, and Android's kernels may round the other way than XNNPACK.
                val tolerance = if (predictor.model.description.inputs[0].type == ElementType.FLOAT32) 1e-3f else 0.05f
                for ((_, file, numbers) in rows) {
                    val picture = loadPicture(RuntimeEnvironment.getApplication().contentResolver, android.net.Uri.fromFile(TestData.file(file)))
                    val prediction = predictor.predict(picture)
                    val expected = numbers.split(' ').filter(String::isNotEmpty).map(String::toFloat)
                    val received = prediction.objects?.flatMap { listOf(it.category.toFloat(), it.guess.score, it.left, it.top, it.right, it.bottom) }
                        ?: predictor.model.description.labels.map { label -> prediction.guesses.first { it.label == label }.score }
                    assertEquals("$model $file: $expected and $received", expected.size, received.size)
                    expected.zip(received).forEach { (a, b) -> assertEquals("$model $file", a, b, tolerance) }
                }
            }
        }
    }

    @Test fun `10,000 camera frames keep their order and the memory`() {
        val random = Random(9)
        val frames = List(12) { SyntheticFrame.random(random, 320, 240) }
        val worker = Executors.newSingleThreadExecutor()
        val main = Executors.newSingleThreadExecutor()
        Predictor(models.open("digits")).use { predictor ->
            val numbers = ArrayList<Long>()
            val memory = ArrayList<Long>()
            val done = CountDownLatch(1)
            val pipeline = FramePipeline(
                worker, main, YuvFrame(), { predictor.predict(it.middle(), Look.INK) },
                { result: FrameResult<Prediction> ->
                    assertEquals(10, result.outcome.getOrThrow().guesses.size)
                    numbers += result.number
                    if (numbers.size == SETTLED || numbers.size == FRAMES) memory += resident()
                    if (numbers.size == FRAMES) done.countDown()
                },
            )
            val end = System.nanoTime() + TimeUnit.MINUTES.toNanos(10)
            pipeline.resume()
            while (done.count > 0) {
                assertTrue("${numbers.size} of $FRAMES frames came in 10 minutes", System.nanoTime() < end)
                // Frames of any turn, as a device gives that is turned meanwhile, faster than they are worked on.
                if (!pipeline.offer(frames[random.nextInt(frames.size)]::copyTo)) {
                    LockSupport.parkNanos(100_000)
                } else if (random.nextInt(100) == 0) {
                    // Interruptions at any moment of the work, of any length.
                    LockSupport.parkNanos(random.nextInt(2_000_000).toLong())
                    pipeline.pause()
                    repeat(random.nextInt(5)) { assertEquals(false, pipeline.offer { }) }
                    pipeline.resume()
                }
            }
            pipeline.pause()
            worker.shutdown()
            main.submit {
                assertEquals(numbers.sorted().distinct(), numbers)
                val growth = memory[1] - memory[0]
                println("10,000 frames: ${memory[0] shr 20} MB after $SETTLED, ${growth shr 10} KB more after $FRAMES")
                assertTrue("memory grew by $growth bytes", growth < (8 shl 20))
            }.get()
            main.shutdown()
            worker.awaitTermination(10, TimeUnit.SECONDS)
        }
    }

    @Test fun `binary models need the delegate and float ones do not`() {
        val error = assertThrows(DemoException::class.java) { Network(models.open("digits"), 1, useDelegate = false) }
        assertEquals(Problem.NEEDS_DELEGATE, error.problem)
        Network(models.open("digits-float"), 1, useDelegate = false).use { it.run() }
        Network(models.open("digits"), 2, useDelegate = true).use {
            it.run()
            assertTrue(it.kernel!!.isNotEmpty())
        }
    }

    /** What the process has in memory but for garbage: its heap is all there from the start, see app_tests.py. */
    private fun resident(): Long {
        repeat(2) { System.gc() }
        val heap = Runtime.getRuntime()
        val used = heap.totalMemory() - heap.freeMemory()
        return File("/proc/self/statm").readText().split(' ')[1].toLong() * PAGE - heap.totalMemory() + used
    }
}
