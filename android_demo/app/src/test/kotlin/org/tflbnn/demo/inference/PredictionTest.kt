package org.tflbnn.demo.inference

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.tflbnn.demo.HostRunner
import org.tflbnn.demo.model.ElementType
import org.tflbnn.demo.model.ModelDescription
import org.tflbnn.demo.model.TensorSpec

@RunWith(HostRunner::class)
class PredictionTest {
    private val model = ModelDescription(
        null, null, listOf("cat", "dog"), null, null, listOf(TensorSpec(listOf(1, 8, 8, 1), ElementType.FLOAT32)), emptyList(), emptySet(), null, 1,
    )

    @Test fun `guesses begin with the best, of equals with the first, and NaN is last`() {
        assertEquals(listOf("dog", "cat"), guesses(model, floatArrayOf(0.2f, 0.8f)).map(Guess::label))
        assertEquals(listOf("cat", "dog"), guesses(model, floatArrayOf(0.5f, 0.5f)).map(Guess::label))
        assertEquals(listOf("dog", "2", "cat"), guesses(model, floatArrayOf(Float.NaN, 3f, -1f)).map(Guess::label))
    }

    @Test fun `scores are probabilities if they are shares of a whole`() {
        assertTrue(areProbabilities(floatArrayOf(0.25f, 0.75f)))
        assertFalse(areProbabilities(floatArrayOf(-0.25f, 1.25f)))
        assertFalse(areProbabilities(floatArrayOf(2f, 3f)))
        assertFalse(areProbabilities(floatArrayOf(Float.NaN, 1f)))
    }

    @Test fun `objects are as many as the model says, likely, and inside of the picture`() {
        val boxes = floatArrayOf(0f, 0.1f, 0.5f, 0.6f, -1f, 0f, 2f, 1f, 0f, 0f, Float.NaN, 1f, 0f, 0f, 1f, 1f)
        val found = objects(model, boxes, floatArrayOf(1f, 0f, 0f, 0f), floatArrayOf(0.9f, 0.5f, 0.9f, 0.1f), 4f)
        assertEquals(listOf("dog", "cat"), found.map { it.guess.label })
        assertEquals(listOf(0.1f, 0f, 0.6f, 0.5f), found[0].run { listOf(left, top, right, bottom) })
        assertEquals(listOf(0f, 0f, 1f, 1f), found[1].run { listOf(left, top, right, bottom) })
        for (number in listOf(Float.NaN, -3f, 0f)) assertEquals(0, objects(model, boxes, FloatArray(4), FloatArray(4) { 1f }, number).size)
        assertEquals(3, objects(model, boxes, FloatArray(4), FloatArray(4) { 1f }, 1e9f).size)
    }

    @Test fun `the frame rate is that of the last seconds`() {
        val rate = FrameRate()
        assertNull(rate.count(0))
        var latest: Float? = null
        for (frame in 1..100) latest = rate.count(frame * 50_000_000L)
        assertEquals(20f, latest!!, 0.01f)
        assertEquals(10f, rate.count(100 * 50_000_000L + 100_000_000L)!!, 10f)
        rate.reset()
        assertNull(rate.count(1))
    }
}
