package org.tflbnn.demo

import android.app.Application
import android.os.Handler
import android.os.Looper
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import org.tflbnn.demo.benchmark.BenchmarkJob
import org.tflbnn.demo.inference.CurrentPredictor
import org.tflbnn.demo.model.ModelStore

/** What outlives the screens, which come and go with every rotation. */
class DemoApplication : Application() {
    val models by lazy { ModelStore(this) }

    /** The one thread that runs models for the camera and the pictures. */
    val worker: Executor = Executors.newSingleThreadExecutor { Thread(it, "inference").apply { isDaemon = true } }

    val main = Handler(Looper.getMainLooper()).let { handler -> Executor { handler.post(it) } }

    /** For [worker] alone. */
    val predictor by lazy { CurrentPredictor(models) }

    val benchmark by lazy { BenchmarkJob(models, main) }

    override fun onTrimMemory(level: Int) {
        super.onTrimMemory(level)
        if (level >= TRIM_MEMORY_UI_HIDDEN) worker.execute(predictor::release)
    }

    override fun onLowMemory() {
        super.onLowMemory()
        worker.execute(predictor::release)
    }

    /** Runs [action] on the worker and hands what comes of it to [show] on the main thread. */
    fun <T> infer(action: (CurrentPredictor) -> T, show: (Result<T>) -> Unit) = worker.execute {
        val result = try {
            Result.success(withinMemory { action(predictor) })
        } catch (error: DemoException) {
            Result.failure(error)
        }
        main.execute { show(result) }
    }
}
