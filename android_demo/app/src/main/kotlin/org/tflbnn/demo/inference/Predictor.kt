package org.tflbnn.demo.inference

import org.tflbnn.demo.model.Model
import org.tflbnn.demo.picture.Look
import org.tflbnn.demo.picture.Picture
import org.tflbnn.demo.picture.Preprocessing

/** From a picture to what a model sees in it. For one thread at a time. */
class Predictor(val model: Model, threads: Int = THREADS) : AutoCloseable {
    private val network = Network(model, threads, useDelegate = true)
    private val preprocessing = Preprocessing(model.description)

    val kernel get() = network.kernel

    fun predict(picture: Picture, look: Look = Look.AS_IT_IS): Prediction {
        val start = System.nanoTime()
        preprocessing.write(picture, look, network.input)
        val ready = System.nanoTime()
        network.run()
        val inference = System.nanoTime() - ready
        if (model.description.isDetector) {
            val found = objects(
                model.description, network.output(0), network.output(1), network.output(2), network.output(3)[0],
            )
            return Prediction(found.map(Found::guess), found, true, inference, System.nanoTime() - start)
        }
        val scores = network.output(0)
        val guesses = guesses(model.description, scores)
        return Prediction(guesses, null, areProbabilities(scores), inference, System.nanoTime() - start)
    }

    override fun close() = network.close()

    companion object {
        val THREADS = Runtime.getRuntime().availableProcessors().coerceIn(1, 2)
    }
}
