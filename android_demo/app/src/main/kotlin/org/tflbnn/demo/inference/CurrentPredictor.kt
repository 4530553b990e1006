package org.tflbnn.demo.inference

import org.tflbnn.demo.model.ModelStore

/** The predictor of the model that the user chose, opened when it is first asked for. For the worker's thread alone. */
class CurrentPredictor(private val models: ModelStore) {
    private var opened: Predictor? = null

    fun get(): Predictor {
        val id = models.currentId
        opened?.takeIf { it.model.id == id }?.let { return it }
        release()
        return models.guarded(id) { Predictor(models.open(id)) }.also { opened = it }
    }

    fun release() {
        opened?.close()
        opened = null
    }
}
