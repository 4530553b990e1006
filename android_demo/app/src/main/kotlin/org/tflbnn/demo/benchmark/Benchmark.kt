package org.tflbnn.demo.benchmark

import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem
import org.tflbnn.demo.inference.Network
import org.tflbnn.demo.model.Model

private const val WARM_UP = 3
private const val MOST_RUNS = 200
private const val NANOSECONDS = 600_000_000L

val THREADS = listOf(1, 2, 4)

/** All ways to run a model and its twin: with the delegate and without, on 1, 2 and 4 threads. */
fun setups(models: List<Model>): List<Setup> = THREADS.flatMap { threads ->
    models.flatMap { model ->
        listOf(true, false).map { Setup(model.id, !model.description.isBinary, it, threads) }
    }
}

/**
 * Measures all setups, forth and back: what slows the device down while it gets warm slows all of them down alike.
 *
 * @param memory bytes that the app has allocated; a difference of two says what a network takes.
 * @param progress is told after each step how many of how many are done; false stops the measuring.
 * @return null if it was stopped.
 */
fun measure(
    models: List<Model>,
    memory: () -> Long,
    clock: () -> Long = System::nanoTime,
    progress: (done: Int, of: Int) -> Boolean,
): List<Measurement>? {
    val setups = setups(models)
    val samples = setups.associateWith { ArrayList<Long>() }
    val facts = HashMap<Setup, Pair<Long, String?>>()
    val steps = setups + setups.reversed()
    steps.forEachIndexed { step, setup ->
        if (!progress(step, steps.size)) return null
        val before = memory()
        val network = open(models.first { it.id == setup.id }, setup) ?: return@forEachIndexed
        network.use {
            repeat(WARM_UP) { network.run() }
            facts.getOrPut(setup) { Pair(maxOf(0, memory() - before), network.kernel) }
            samples.getValue(setup) += times(network, clock)
        }
    }
    return setups.map { setup ->
        val (taken, kernel) = facts[setup] ?: return@map Measurement.impossible(setup)
        Measurement.of(setup, samples.getValue(setup), taken, kernel)
    }
}

/** Null where stock TFLite alone does not know the binary operations. */
private fun open(model: Model, setup: Setup): Network? = try {
    Network(model, setup.threads, setup.delegate)
} catch (error: DemoException) {
    if (error.problem != Problem.NEEDS_DELEGATE) throw error
    null
}

private fun times(network: Network, clock: () -> Long): List<Long> {
    val times = ArrayList<Long>()
    val start = clock()
    while (times.size < MOST_RUNS && clock() - start < NANOSECONDS) {
        val before = clock()
        network.run()
        times += clock() - before
    }
    return times
}
