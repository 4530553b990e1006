package org.tflbnn.demo.inference

import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.tensorflow.lite.Interpreter
import org.tflbnn.delegate.TflbnnDelegate
import org.tflbnn.demo.DemoException
import org.tflbnn.demo.Problem
import org.tflbnn.demo.model.ElementType
import org.tflbnn.demo.model.Model
import org.tflbnn.demo.withinMemory

/** A model in stock TFLite on [threads] threads, its binary operations in the delegate if [useDelegate]. */
class Network(private val model: Model, threads: Int, useDelegate: Boolean) : AutoCloseable {
    private val delegate: TflbnnDelegate?
    private val interpreter: Interpreter

    /** The tensor that [run] takes, to be written by absolute positions. */
    val input: ByteBuffer
    private val outputs: List<ByteBuffer>

    init {
        var opened: TflbnnDelegate? = null
        try {
            opened = if (useDelegate) TflbnnDelegate(TflbnnDelegate.Options().setThreads(threads)) else null
            // On several threads TFLite's operator for detection leaves classes out. The delegate's threads are its own.
            val options = Interpreter.Options().setNumThreads(if (model.description.isDetector) 1 else threads)
            opened?.let(options::addDelegate)
            interpreter = withinMemory { Interpreter(model.bytes, options) }
        } catch (error: RuntimeException) {
            opened?.close()
            throw readable(error)
        } catch (error: LinkageError) {
            throw DemoException(Problem.CANNOT_RUN, error.message.orEmpty(), error)
        }
        delegate = opened
        input = buffer(interpreter.getInputTensor(0).numBytes())
        outputs = List(interpreter.outputTensorCount) { buffer(interpreter.getOutputTensor(it).numBytes()) }
    }

    /** The kernels that the delegate runs, null without it. */
    val kernel: String? get() = delegate?.loadedKernel()

    /** Runs the model on [input]; what it gives is in [output] until the next time. */
    fun run() {
        input.rewind()
        outputs.forEach(ByteBuffer::rewind)
        try {
            interpreter.runForMultipleInputsOutputs(arrayOf(input), outputs.withIndex().associate { it.index to it.value })
        } catch (error: RuntimeException) {
            throw readable(error)
        }
    }

    /** The numbers of an output, those of bytes by their scale and zero point. */
    fun output(index: Int): FloatArray {
        val bytes = outputs[index]
        val spec = model.description.outputs[index]
        return when (spec.type) {
            ElementType.UINT8 -> FloatArray(bytes.capacity()) { ((bytes.get(it).toInt() and 0xff) - spec.zeroPoint) * spec.scale }
            ElementType.INT8 -> FloatArray(bytes.capacity()) { (bytes.get(it) - spec.zeroPoint) * spec.scale }
            else -> FloatArray(bytes.capacity() / 4) { bytes.getFloat(4 * it) }
        }
    }

    override fun close() {
        interpreter.close()
        delegate?.close()
    }

    private fun buffer(bytes: Int) = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder())
}

private val UNKNOWN = Regex("unresolved custom op: ?([\\w.]+)")
private val UNSUPPORTED = Regex("op for builtin opcode '(\\w+)'")

/** TFLite's exceptions name the operator that it does not know somewhere in a longer text. */
private fun readable(error: RuntimeException): DemoException {
    val text = error.message.orEmpty()
    val operator = (UNKNOWN.find(text) ?: UNSUPPORTED.find(text))?.groupValues?.get(1)
    return when {
        operator == null -> DemoException(Problem.CANNOT_RUN, text.lineSequence().last(String::isNotBlank, text), error)
        operator.startsWith("Lce") -> DemoException(Problem.NEEDS_DELEGATE, operator, error)
        else -> DemoException(Problem.UNKNOWN_OPERATOR, operator, error)
    }
}

private fun Sequence<String>.last(matches: (String) -> Boolean, otherwise: String) = lastOrNull(matches) ?: otherwise
