package org.tflbnn.demo.model

import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A model file in memory, as TFLite wants it: a direct buffer. */
class Model(val id: String, val bytes: ByteBuffer) {
    val description = ModelDescription.of(bytes)
    val size: Int get() = bytes.capacity()
}

internal fun readDirect(stream: InputStream): ByteBuffer {
    val content = stream.readBytes()
    return ByteBuffer.allocateDirect(content.size).order(ByteOrder.nativeOrder()).apply { put(content).rewind() }
}
