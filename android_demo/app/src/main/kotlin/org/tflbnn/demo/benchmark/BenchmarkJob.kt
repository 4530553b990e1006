package org.tflbnn.demo.benchmark

import android.os.Debug
import java.util.concurrent.Executor
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.model.ModelStore
import org.tflbnn.demo.withinMemory

/** Where measuring stands. */
sealed class BenchmarkState {
    object Idle : BenchmarkState()
    class Running(val done: Int, val of: Int) : BenchmarkState()
    class Done(val rows: List<Measurement>) : BenchmarkState()
    class Failed(val error: DemoException) : BenchmarkState()
}

/** Measures on a thread of its own and outlives the screen that shows it. Everything here is for the main thread. */
class BenchmarkJob(private val models: ModelStore, private val main: Executor) {
    var state: BenchmarkState = BenchmarkState.Idle
        private set(value) {
            field = value
            listener?.invoke(value)
        }

    /** Told of every new [state]. */
    var listener: ((BenchmarkState) -> Unit)? = null

    @Volatile
    private var current: Thread? = null

    /** Measures this model and its twin. */
    fun start(id: String) {
        stop()
        state = BenchmarkState.Running(0, 1)
        val thread = Thread({ run(id) }, "benchmark")
        current = thread
        thread.start()
    }

    fun stop() {
        current = null
        if (state is BenchmarkState.Running) state = BenchmarkState.Idle
    }

    /** Shows rows of an earlier process. */
    fun restore(rows: List<Measurement>) {
        if (state is BenchmarkState.Idle && rows.isNotEmpty()) state = BenchmarkState.Done(rows)
    }

    private fun run(id: String) {
        val self = Thread.currentThread()
        fun tell(state: BenchmarkState) = main.execute { if (current === self) this.state = state }
        try {
            val measured = withinMemory {
                val pair = listOfNotNull(id, models.twin(id)).map(models::open).sortedByDescending { it.description.isBinary }
                measure(pair, Debug::getNativeHeapAllocatedSize) { done, of ->
                    tell(BenchmarkState.Running(done, of))
                    current === self
                }
            }
            if (measured != null) tell(BenchmarkState.Done(measured))
        } catch (error: DemoException) {
            tell(BenchmarkState.Failed(error))
        }
    }
}
